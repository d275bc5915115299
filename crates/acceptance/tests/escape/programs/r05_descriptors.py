"""R-05: opens as much as it can, and hides descriptors in flight."""
import os
import resource
import select
import socket
from attempts import attempt, report


def many(action):
    kept = []
    try:
        for _ in range(100_000):
            kept.append(action())
    finally:
        for one in kept:
            for descriptor in one if isinstance(one, tuple) else (one,):
                descriptor.close() if hasattr(descriptor, "close") else os.close(descriptor)


def in_flight():
    left, right = socket.socketpair()
    file = os.open("/dev/null", os.O_RDONLY)
    left.setblocking(False)
    for _ in range(100_000):
        socket.send_fds(left, [b"x"], [file] * 200)


attempt("open", lambda: many(lambda: os.open("/dev/null", os.O_RDONLY)))
attempt("dup", lambda: many(lambda: os.dup(1)))
attempt("pipe", lambda: many(os.pipe))
attempt("socketpair", lambda: many(socket.socketpair))
attempt("epoll", lambda: many(lambda: select.epoll()))
attempt("memfd", lambda: many(lambda: os.memfd_create("x")))
attempt("in flight", in_flight)
attempt("raise the limit", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 20)))
attempt("open one", lambda: os.close(os.open("/dev/null", os.O_RDONLY)))
report()
