"""N-02, N-03: asks for names of hosts, and for the addresses that machines in a cloud answer at."""
import os
import socket
from attempts import attempt, call, report


def reach(family, address, port, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as one:
        one.settimeout(0.5)
        one.connect((address, port))
        one.send(b"probe")


attempt("a name", lambda: str(socket.getaddrinfo("canary.example", 80)))
attempt("servers of names", lambda: "nothing" if not open("/etc/resolv.conf").read() else "saw")
attempt("a server of names", lambda: reach(socket.AF_INET, "127.0.0.53", 53, socket.SOCK_DGRAM))
attempt("metadata", lambda: reach(socket.AF_INET, "169.254.169.254", 80))
attempt("metadata, version 6", lambda: reach(socket.AF_INET6, "fd00:ec2::254", 80))
for path in ("/run/nscd/socket", "/run/systemd/resolve/io.systemd.Resolve"):
    attempt(path, lambda: os.stat(path))
report()
