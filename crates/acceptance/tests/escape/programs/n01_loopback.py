"""N-01: reaches for a listener of the host on its loopback device, by every kind of socket."""
import socket
from attempts import PORT, attempt, report

IPPROTO_SCTP = 132
V4, V6, port = socket.AF_INET, socket.AF_INET6, int(PORT)


def connect(family, kind, protocol, address):
    with socket.socket(family, kind, protocol) as one:
        one.settimeout(0.5)
        one.connect((address, port))
        one.send(b"probe")


attempt("tcp", lambda: connect(V4, socket.SOCK_STREAM, 0, "127.0.0.1"))
attempt("tcp, version 6", lambda: connect(V6, socket.SOCK_STREAM, 0, "::1"))
attempt("tcp, mapped", lambda: connect(V6, socket.SOCK_STREAM, 0, "::ffff:127.0.0.1"))
attempt("udp", lambda: connect(V4, socket.SOCK_DGRAM, 0, "127.0.0.1"))
attempt("icmp", lambda: connect(V4, socket.SOCK_RAW, socket.IPPROTO_ICMP, "127.0.0.1"))
attempt("ping", lambda: connect(V4, socket.SOCK_DGRAM, socket.IPPROTO_ICMP, "127.0.0.1"))
attempt("sctp", lambda: connect(V4, socket.SOCK_STREAM, IPPROTO_SCTP, "127.0.0.1"))
attempt("names of interfaces", lambda: str(socket.if_nameindex()))
attempt("pair", lambda: socket.socketpair())
report()
