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
    -fsanitize=${NIX_SEED_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
    # gcc 12 sees uninitialised members in libstdc++'s own <regex> when it instruments it.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(seed_flags INTERFACE -fsanitize=${NIX_SEED_SANITIZE})
endif()
if(NIX_SEED_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "NIX_SEED_FUZZ needs clang: use the preset fuzz (package clang-19)")
  endif()
  target_compile_options(seed_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(NIX_SEED_STATIC)
  if(NIX_SEED_SANITIZE)
    message(FATAL_ERROR "sanitizers do not work in a static executable")
  endif()
  target_compile_options(seed_flags INTERFACE -ffunction-sections -fdata-sections)
  # The warnings left out say that getaddrinfo and dlopen need the machine's libc: static_guard.cpp
  # sees to that.
  target_link_options(seed_flags INTERFACE
    -static -Wl,--gc-sections -Wl,--build-id=sha1 -Wl,--no-warnings -s)
endif()
if(CMAKE_BUILD_TYPE MATCHES "^(Release|MinSizeRel)$")
  target_compile_options(seed_flags INTERFACE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  target_link_options(seed_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
