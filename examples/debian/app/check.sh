# shellcheck shell=dash disable=SC2154
"$wordtop/bin/wordtop" < "$sample" > "$TMPDIR/actual"
diff -u "$expected" "$TMPDIR/actual"
cp "$TMPDIR/actual" "$out"
