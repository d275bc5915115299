"""P-02: makes children that nobody waits for, ignoring the signals that would tell."""
import os
import signal
import time
from attempts import attempt, report

signal.signal(signal.SIGTERM, signal.SIG_IGN)


def farm():
    for _ in range(1000):
        if os.fork() == 0:
            os._exit(0)


attempt("a thousand zombies", farm)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
try:
    while True:
        os.wait()
except ChildProcessError:
    pass


def orphans():
    for _ in range(200):
        if os.fork() == 0:
            os.fork()
            os._exit(0)
        time.sleep(0.001)


attempt("orphans", orphans)
report()
