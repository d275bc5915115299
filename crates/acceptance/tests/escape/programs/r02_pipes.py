"""R-02: fills memory through the buffers of as many pipes and sockets as it may open."""
import fcntl
import os
import socket
from attempts import attempt, begin, report

F_SETPIPE_SZ = 1031
block = bytes(1 << 20)


def fill():
    while True:
        reader, writer = os.pipe()
        try:
            fcntl.fcntl(writer, F_SETPIPE_SZ, 1 << 20)
        except OSError:
            pass
        os.set_blocking(writer, False)
        os.write(writer, block)
        left, right = socket.socketpair()
        left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
        left.setblocking(False)
        left.send(block)
        left.detach()
        right.detach()


begin("buffers of pipes and sockets")
attempt("buffers of pipes and sockets", fill)
report()
