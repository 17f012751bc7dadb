# shellcheck shell=dash disable=SC2154,SC2034
# Sourced by every build; the shell is busybox.  The derivation sets out, debs, libdeps, patchelf,
# libdir (lib/x86_64-linux-gnu), loader.
set -eu

# Unpacks $debs into $out, with /usr merged into the root and documentation left out.
unpack() {
	mkdir -p "$TMPDIR/x" "$out"
	for deb in $debs; do
		dpkg-deb -x "$deb" "$TMPDIR/x"
	done
	for d in doc man info locale lintian bug; do
		rm -rf "$TMPDIR/x/usr/share/$d"
	done
	for root in "$TMPDIR/x" "$TMPDIR/x/usr"; do
		for d in bin sbin lib lib64 libexec include share etc; do
			if [ -d "$root/$d" ] && [ ! -L "$root/$d" ]; then
				mkdir -p "$out/$d"
				cp -a "$root/$d/." "$out/$d/"
			fi
		done
	done
	chmod -R u+w "$out"
}

is_elf() { [ "$(head -c4 "$1" | od -An -tx1 | tr -d ' ')" = 7f454c46 ]; }

# The first of $out and $libdeps that has file $1.
locate() {
	for d in "$out" $libdeps; do
		if [ -e "$d/$1" ]; then
			echo "$d/$1"
			return
		fi
	done
	return 1
}

# /usr/lib/x -> lib/x
strip_prefix() { echo "$1" | sed -e 's,^/usr/,,' -e 's,^/,,'; }

# a/b/../c -> a/c
normalize() {
	echo "$1" | awk -F/ '{
		n = 0
		for (i = 1; i <= NF; i++) {
			if ($i == "" || $i == ".") continue
			if ($i == "..") { if (n) n--; continue }
			part[++n] = $i
		}
		for (i = 1; i <= n; i++) printf "%s%s", (i > 1 ? "/" : ""), part[i]
	}'
}

# Points a symbolic link into the store, or removes it where its target is in no dependency.
fix_link() {
	if [ -e "$1" ]; then
		case $(readlink "$1") in
		/nix/*) return ;;
		/*) ;;
		*) return ;;
		esac
	fi
	target=$(readlink "$1")
	case $target in
	/*) target=$(strip_prefix "$target") ;;
	*)
		relative=${1#"$out"/}
		target=$(normalize "$(dirname "$relative")/$target")
		;;
	esac
	if target=$(locate "$target"); then ln -sfn "$target" "$1"; else rm "$1"; fi
}

# Sets interpreter and run path of a program or library.
fix_elf() {
	if "$patchelf/bin/patchelf" --print-interpreter "$1" >/dev/null 2>&1; then
		"$patchelf/bin/patchelf" --set-interpreter "$interpreter" "$1"
	elif ! "$patchelf/bin/patchelf" --print-needed "$1" >/dev/null 2>&1; then
		return 0
	fi
	own=
	for r in $("$patchelf/bin/patchelf" --print-rpath "$1" | tr : ' '); do # private libraries
		case $r in
		/*) own=$own$out/$(strip_prefix "$r"): ;;
		*) own=$own$r: ;;
		esac
	done
	"$patchelf/bin/patchelf" --set-rpath "$own$run_path" "$1"
	"$patchelf/bin/patchelf" --shrink-rpath "$1"
}

# Rewrites the absolute names of a linker script.
fix_script() {
	for t in $(grep -o '/[a-z0-9_/.-]*\.[a-z0-9.]*' "$1" || true); do
		if n=$(locate "$(strip_prefix "$t")"); then
			sed -i "s,\([ (]\)$t\([ )]\),\1$n\2,g" "$1"
		fi
	done
}

# Relocates $out: links, interpreters, run paths and linker scripts.
fixup() {
	run_path=$out/$libdir
	for d in $libdeps; do
		if [ -d "$d/$libdir" ]; then run_path=$run_path:$d/$libdir; fi
	done
	interpreter=$(locate "$libdir/$loader" || true)

	find "$out" -type l | while read -r f; do fix_link "$f"; done
	for d in bin sbin lib libexec; do
		if [ -d "$out/$d" ]; then find "$out/$d" -type f \( -perm -100 -o -name '*.so*' \); fi
	done | while read -r f; do
		case ${f##*/} in
		ld-linux* | libc.so.6) continue ;;
		esac
		if is_elf "$f"; then
			fix_elf "$f"
		else
			case $f in *.so) fix_script "$f" ;; esac
		fi
	done
	mkdir -p "$out/nix-support"
	echo "$deps" > "$out/nix-support/propagated"
}

# wrap NAME [VARIABLE=VALUE...]: bin/NAME runs with the variables set, under the name it was called by.
wrap() {
	name=$1
	shift
	mkdir -p "$out/libexec/wrapped"
	mv "$out/bin/$name" "$out/libexec/wrapped/$name"
	{
		echo "#!$bash/bin/bash"
		for assignment in "$@"; do echo "export $assignment"; done
		echo "exec -a \"\$0\" $out/libexec/wrapped/$name \"\$@\""
	} > "$out/bin/$name"
	chmod +x "$out/bin/$name"
}
