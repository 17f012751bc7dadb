# What makes building faster is used where it is installed and missed nowhere else.
find_program(NIX_SEED_CCACHE ccache)
if(NIX_SEED_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${NIX_SEED_CCACHE}")
endif()
# Only for builds nobody ships: the linker shows in the bytes.
find_program(NIX_SEED_MOLD mold)
if(NIX_SEED_MOLD AND CMAKE_BUILD_TYPE MATCHES "^(Debug|RelWithDebInfo)$")
  add_link_options(-fuse-ld=mold)
endif()
