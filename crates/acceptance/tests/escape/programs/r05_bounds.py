"""R-05: goes a little beyond each bound of a single process: descriptors, signals, its stack."""
import os
import resource
import signal
import struct
from attempts import attempt, call, report

SIGQUEUEINFO, SI_QUEUE, REALTIME = 129, -1, 40


def descriptors():
    kept = []
    try:
        for _ in range(300):
            kept.append(os.open("/dev/null", os.O_RDONLY))
    finally:
        for one in kept:
            os.close(one)


def signals():
    signal.pthread_sigmask(signal.SIG_BLOCK, {REALTIME})
    info = struct.pack("<iii", REALTIME, 0, SI_QUEUE).ljust(128, b"\0")
    for _ in range(2000):
        call(SIGQUEUEINFO, os.getpid(), REALTIME, info)


attempt("three hundred descriptors", descriptors)
attempt("two thousand signals", signals)
attempt("a larger stack", lambda: resource.setrlimit(resource.RLIMIT_STACK, (1 << 25, 1 << 25)))
report()
