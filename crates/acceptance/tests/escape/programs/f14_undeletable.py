"""F-14: makes files that are hard to remove: attributes, flags, modes."""
import fcntl
import os
import struct
from attempts import attempt, report

FS_IOC_SETFLAGS, FS_IMMUTABLE_FL = 0x40086602, 0x10
os.makedirs("locked/inner")
open("locked/inner/file", "w").close()
attempt("user attribute", lambda: os.setxattr("locked", "user.x", b"x" * 60000))
attempt("access list", lambda: os.setxattr("locked", "system.posix_acl_access", b"\2\0\0\0"))
attempt("capability", lambda: os.setxattr("locked", "security.capability", b"\0" * 20))
file = os.open("locked/inner/file", os.O_RDONLY)
flags = struct.pack("l", FS_IMMUTABLE_FL)
attempt("immutable", lambda: fcntl.ioctl(file, FS_IOC_SETFLAGS, flags))
paths = ("locked/inner", "locked", "/tmp")
attempt("no permissions", lambda: [os.chmod(path, 0) for path in paths])
attempt("setuid bit", lambda: os.chmod(__file__, 0o4777))
report()
