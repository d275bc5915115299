"""R-06: writes a little more than it may: 17 MiB."""
import os
from attempts import attempt, begin, report


def flood():
    block = b"x" * (1 << 16) + b"\n"
    for _ in range(17 * 16):
        os.write(2, block)


begin("seventeen mebibytes")
attempt("seventeen mebibytes", flood)
report()
