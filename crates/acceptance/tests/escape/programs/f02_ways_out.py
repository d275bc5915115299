"""F-02: reads a file of the host by its absolute path, by `..`, and by way of other processes."""
import os
from attempts import CANARY, HOST_PROCESS, attempt, report


def read(path):
    with open(path) as file:
        file.read()


attempt("absolute", lambda: read(CANARY))
attempt("dots", lambda: read("../" * 40 + CANARY.lstrip("/")))
attempt("root of the first process", lambda: read("/proc/1/root" + CANARY))
attempt("root of this process", lambda: read("/proc/self/root" + CANARY))
attempt("directory of the first process", lambda: read("/proc/1/cwd/" + "../" * 40 + CANARY))
attempt("root of a process of the host", lambda: read(f"/proc/{HOST_PROCESS}/root" + CANARY))
held = os.open(".", os.O_RDONLY)
attempt("dots by descriptor", lambda: os.open("../" * 40 + CANARY[1:], os.O_RDONLY, dir_fd=held))
os.symlink(CANARY, "link")
attempt("symbolic link", lambda: read("link"))
attempt("own file", lambda: read(__file__))
report()
