"""F-05: makes device nodes, and opens devices that the host has."""
import os
import stat
from attempts import attempt, call, report

MKNOD, MKNODAT, AT_FDCWD = 133, 259, -100
attempt("make a disk", lambda: call(
    MKNODAT, AT_FDCWD, b"disk", stat.S_IFBLK | 0o600, os.makedev(8, 0)))
attempt("make memory", lambda: call(MKNOD, b"memory", stat.S_IFCHR | 0o600, os.makedev(1, 1)))
attempt("make a pipe", lambda: call(MKNODAT, AT_FDCWD, b"pipe", stat.S_IFIFO | 0o600, 0))
for name in ("mem", "kmsg", "kvm", "sda", "vda", "fuse", "vsock", "vhost-net", "net/tun", "ptmx"):
    attempt(name, lambda: os.open("/dev/" + name, os.O_RDWR))
attempt("null", lambda: os.open("/dev/null", os.O_RDWR))
report()
