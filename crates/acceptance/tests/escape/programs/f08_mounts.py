"""F-08: mounts, unmounts and changes mounts, with the old system calls and the new ones."""
from attempts import apart, attempt, call, report

MOUNT, UMOUNT2, OPEN_TREE, MOVE_MOUNT, FSOPEN, FSCONFIG, FSMOUNT, FSPICK, MOUNT_SETATTR = (
    165, 166, 428, 429, 430, 431, 432, 433, 442)
MS_RDONLY, MS_REMOUNT, MS_BIND, MNT_DETACH, AT_FDCWD = 1, 32, 4096, 2, -100

apart("bind", lambda: call(MOUNT, b"/usr", b"/work", 0, MS_BIND, 0))
for kind in (b"tmpfs", b"proc", b"overlay", b"cgroup", b"fuse"):
    apart("mount " + kind.decode(), lambda: call(MOUNT, b"none", b"/work", kind, 0, 0))
apart("remount writable", lambda: call(MOUNT, b"none", b"/usr", 0, MS_REMOUNT | MS_BIND, 0))
apart("unmount a read-only layer", lambda: call(UMOUNT2, b"/usr", MNT_DETACH))
apart("mount_setattr", lambda: call(MOUNT_SETATTR, AT_FDCWD, b"/usr", 0, b"\0" * 32, 32))
apart("open_tree", lambda: call(OPEN_TREE, AT_FDCWD, b"/usr", 1))
apart("move_mount", lambda: call(MOVE_MOUNT, AT_FDCWD, b"/usr", AT_FDCWD, b"/work", 0))
apart("fsopen", lambda: call(FSOPEN, b"tmpfs", 0))
apart("fsconfig", lambda: call(FSCONFIG, 0, 6, 0, 0, 0))
apart("fsmount", lambda: call(FSMOUNT, 0, 0, 0))
apart("fspick", lambda: call(FSPICK, AT_FDCWD, b"/usr", 0))
attempt("read the mounts", lambda: open("/proc/self/mounts").read() and None)
report()
