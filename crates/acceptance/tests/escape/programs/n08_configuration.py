"""N-08: changes the configuration of the network."""
import fcntl
import socket
from attempts import attempt, report

SIOCSIFFLAGS, SIOCGIFFLAGS, SIOCADDRT, SIOCBRADDBR = 0x8914, 0x8913, 0x890B, 0x89A0
SOL_SOCKET, SO_MARK, SO_BINDTODEVICE, SO_ATTACH_BPF, SO_SNDBUFFORCE = 1, 36, 25, 50, 32
unix, _other = socket.socketpair()
for name, protocol in (("route", 0), ("netfilter", 12), ("audit", 9), ("xfrm", 6), ("generic", 16)):
    attempt(f"netlink {name}", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol))
up = b"lo".ljust(16, b"\0") + b"\x41\1" + b"\0" * 22
attempt("bring an interface up", lambda: fcntl.ioctl(unix, SIOCSIFFLAGS, up))
attempt("read an interface", lambda: fcntl.ioctl(unix, SIOCGIFFLAGS, b"lo".ljust(40, b"\0")))
attempt("add a route", lambda: fcntl.ioctl(unix, SIOCADDRT, b"\0" * 120))
attempt("add a bridge", lambda: fcntl.ioctl(unix, SIOCBRADDBR, b"atoll0\0"))
attempt("capture", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3))
attempt("mark packets", lambda: unix.setsockopt(SOL_SOCKET, SO_MARK, 1))
attempt("bind to a device", lambda: unix.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, b"lo\0\0"))
attempt("force a buffer", lambda: unix.setsockopt(SOL_SOCKET, SO_SNDBUFFORCE, 1 << 30))
attempt("ask for the type", lambda: unix.getsockopt(SOL_SOCKET, socket.SO_TYPE))
report()
