"""F-10: directories inside each other, deeper than any path can say, and names of 255 bytes."""
import os
from attempts import attempt, report


def deep():
    for _ in range(3_000):
        os.mkdir("d")
        os.chdir("d")


attempt("a name of 255 bytes", lambda: os.mkdir("n" * 255))
attempt("a name of 256 bytes", lambda: os.mkdir("n" * 256))
attempt("a path of 5000 bytes", lambda: os.mkdir("n/" * 2500))
attempt("three thousand directories deep", deep)
report()
