"""G-01: mounts a hierarchy of control groups, or finds one, to have the host run a program."""
import os
from attempts import apart, attempt, call, report

MOUNT, UNSHARE = 165, 272
for options in (b"rdma", b"memory", b"cpu", b"none,name=atoll"):
    name = "mount " + options.decode()
    apart(name, lambda: call(MOUNT, b"cgroup", b"/work", b"cgroup", 0, options))
apart("mount version 2", lambda: call(MOUNT, b"none", b"/work", b"cgroup2", 0, 0))
apart("unshare groups", lambda: call(UNSHARE, 1 << 25))
for path in ("/sys/fs/cgroup", "/sys/fs/cgroup/memory/release_agent", "/cgroup", "/dev/cgroup"):
    attempt(path, lambda: os.stat(path))
attempt("uevent helper", lambda: os.open("/sys/kernel/uevent_helper", os.O_WRONLY))
attempt("core pattern", lambda: os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))
attempt("modprobe", lambda: os.open("/proc/sys/kernel/modprobe", os.O_WRONLY))
attempt("own groups", lambda: open("/proc/self/cgroup").read() and None)
report()
