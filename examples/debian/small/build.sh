# shellcheck shell=dash disable=SC2154
mkdir -p "$out/bin"
{
	echo "#!$bootstrap/bin/sh"
	echo "cat $out/share/greeting.txt"
	sed -n 's/^#define ZLIB_VERSION "\(.*\)"/echo zlib \1/p' "$zlib/include/zlib.h"
} > "$out/bin/hello"
chmod +x "$out/bin/hello"
mkdir -p "$out/share"
cp "$src/greeting.txt" "$out/share/"
