# For another architecture, with the distribution's cross compiler: NIX_SEED_ARCH is its name as
# `uname -m` says it, and NIX_SEED_DEPS what `scripts/deps --arch` filled. Nothing of this machine's
# own libraries and headers is looked at.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES NIX_SEED_ARCH NIX_SEED_DEPS)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${NIX_SEED_ARCH})
set(CMAKE_C_COMPILER ${NIX_SEED_ARCH}-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER ${NIX_SEED_ARCH}-linux-gnu-g++)
set(CMAKE_FIND_ROOT_PATH ${NIX_SEED_DEPS})
set(CMAKE_PREFIX_PATH ${NIX_SEED_DEPS})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} ${NIX_SEED_DEPS}/lib/pkgconfig)
# The distribution's C library before the compiler's own copy, which gets no updates; it is there as
# an archive alone.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -L${NIX_SEED_DEPS}/lib")
