# shellcheck shell=dash disable=SC2154
# One prefix of links, so that the driver finds its passes, start files and headers next to itself.
mkdir -p "$out/bin"
ln -s . "$out/usr"
for p in $parts; do
	for s in include lib libexec; do
		[ -d "$p/$s" ] || continue
		(cd "$p" && find "$s" -type d) | while read -r d; do mkdir -p "$out/$d"; done
		(cd "$p" && find "$s" ! -type d) | while read -r f; do ln -sfn "$p/$f" "$out/$f"; done
	done
	for f in "$p/bin/$triplet"-*; do
		[ -e "$f" ] || continue
		n=${f##*/"$triplet"-}
		n=${n%-[0-9]*}
		case $n in
		gcc | g++ | cpp) cp "$f" "$out/bin/$triplet-$n" ;;
		*) ln -sfn "$f" "$out/bin/$n" ;;
		esac
	done
done
for n in gcc g++; do
	cat > "$out/bin/$n" <<SCRIPT
#!$bootstrap/bin/sh
run_path=
for d in \${CC_RPATH:-}; do run_path=\$run_path,-rpath,\$d; done
exec $out/bin/$triplet-$n --sysroot=$out -B$out/bin "\$@" \\
  -L$libc/$libdir -Wl,--dynamic-linker=$libc/$libdir/$loader \\
  -Wl,-rpath,$libc/$libdir,-rpath,$libstdcxx/$libdir\$run_path
SCRIPT
	chmod +x "$out/bin/$n"
done
ln -s gcc "$out/bin/cc"
ln -s g++ "$out/bin/c++"
