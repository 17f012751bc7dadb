import sys

with open(sys.argv[1]) as source:
    words = sorted(set(source.read().split()))
with open(sys.argv[2], "w") as header:
    quoted = ", ".join(f'"{word}"' for word in words)
    header.write(f"static const char *const stopwords[] = {{{quoted}}};\n")
