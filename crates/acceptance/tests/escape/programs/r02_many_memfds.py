"""R-02: fills memory through many files in memory, each below the limit on one file's size."""
import os
from attempts import attempt, begin, report

begin("sixteen files in memory")
block = bytes(1 << 20)


def fill():
    for number in range(16):
        file = os.memfd_create(f"bomb{number}")
        for _ in range(128):
            os.write(file, block)


attempt("sixteen files in memory", fill)
report()
