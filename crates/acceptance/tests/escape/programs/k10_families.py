"""K-10: opens sockets of every family, most of them seldom used and seldom tested."""
import socket
from attempts import attempt, call, report

FAMILIES = {"inet": 2, "ax25": 3, "ipx": 4, "appletalk": 5, "x25": 9, "inet6": 10, "key": 15,
            "netlink": 16, "packet": 17, "rds": 21, "pppox": 24, "llc": 26, "can": 29, "tipc": 30,
            "bluetooth": 31, "alg": 38, "nfc": 39, "vsock": 40, "kcm": 41, "qipcrtr": 42, "smc": 43,
            "xdp": 44, "mctp": 45}
KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET)


def every_kind(family):
    errors = []
    for kind in KINDS:
        try:
            socket.socket(family, kind).close()
            return None
        except OSError as error:
            errors.append(error)
    raise next((error for error in errors if error.errno != errors[0].errno), errors[0])


for name, family in FAMILIES.items():
    attempt(name, lambda: every_kind(family))
attempt("multipath", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262))
attempt("pair of netlink", lambda: socket.socketpair(socket.AF_NETLINK, socket.SOCK_RAW))
attempt("family with high bits", lambda: call(41, (1 << 32) | 2, 1, 0))
attempt("unix", lambda: socket.socket(socket.AF_UNIX))
report()
