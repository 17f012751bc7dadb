# Every flag that belongs to the project itself, in one interface target.
add_library(seed_flags INTERFACE)
target_compile_options(seed_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor -Wcast-qual
  # Designated initialisers name what differs; the rest has its default.
  -Wno-missing-field-initializers
  # Our own paths must not reach the binary: two builds in two folders are the same bytes.
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
option(NIX_SEED_WERROR "Turn warnings into errors" OFF)
if(NIX_SEED_WERROR)
  target_compile_options(seed_flags INTERFACE -Werror)
endif()
if(NIX_SEED_SANITIZE)
  target_compile_options(seed_flags INTERFACE
    -fsanitize=${NIX_SEED_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(seed_flags INTERFACE -fsanitize=${NIX_SEED_SANITIZE})
endif()
