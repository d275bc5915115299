"""N-04: reaches for sockets of the host by abstract name and by path."""
import os
import socket
from attempts import ABSTRACT, CANARY, attempt, report


def connect(address, kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_UNIX, kind) as one:
        one.settimeout(0.5)
        one.connect(address)
        one.send(b"probe")


def own(address):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        connect(address)


attempt("abstract name", lambda: connect("\0" + ABSTRACT))
attempt("path", lambda: connect(os.path.join(os.path.dirname(CANARY), "socket")))
for path in ("/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock",
             "/run/dbus/system_bus_socket", "/run/systemd/private"):
    attempt(path, lambda: connect(path))
attempt("/dev/log", lambda: connect("/dev/log", socket.SOCK_DGRAM))
attempt("own abstract name", lambda: own("\0own"))
attempt("own path", lambda: own("/work/own"))
report()
