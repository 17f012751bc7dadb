# shellcheck shell=dash disable=SC2154,SC2164
# Runs under `set -e`, after the package set's setup.sh.
export PATH="$cc/bin:$cmake/bin:$ninja/bin:$python3/bin:$PATH"
export CPLUS_INCLUDE_PATH="$boost/include:$zlib/include" LIBRARY_PATH="$zlib/$libdir" CC_RPATH="$zlib1g/$libdir"
export CMAKE_INCLUDE_PATH="$zlib/include" CMAKE_LIBRARY_PATH="$zlib/$libdir"
cd "$TMPDIR"
cp -r "$src" src
chmod -R u+w src
cmake -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$out" \
	-DCMAKE_SKIP_INSTALL_RPATH=ON -S src -B build
cmake --build build --target install
"$patchelf/bin/patchelf" --shrink-rpath "$out/bin/wordtop"
