"""F-10: makes as many files as it can, all of them empty."""
import os
from attempts import attempt, report


def many():
    for number in range(100_000):
        os.close(os.open(f"f{number}", os.O_CREAT | os.O_WRONLY))


attempt("a hundred thousand files", many)
attempt("remove one", lambda: os.unlink("f0"))
report()
