"""X-03: looks for the sandbox beside it: its files, its processes, its sockets."""
import errno
import os
import signal
import socket
from attempts import attempt, neighbour, report


def kill():
    # Where ids are not shared, the neighbour's may be this program's own.
    if neighbour["process"] in (0, os.getpid()):
        raise OSError(errno.ESRCH, "failed")
    os.kill(neighbour["process"], signal.SIGKILL)


def others():
    own = os.readlink("/proc/self")
    found = [name for name in os.listdir("/proc") if name.isdigit() and name != own]
    return f"saw {len(found)}" if found else "nothing"


def connect():
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(0.5)
        one.connect("\0neighbour")


attempt("a file of a neighbour", lambda: open("/tmp/neighbour").read() and None)
attempt("a socket of a neighbour", connect)
attempt("processes of a neighbour", others)
attempt("kill a neighbour", kill)
report()
