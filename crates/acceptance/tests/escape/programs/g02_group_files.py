"""G-02: leaves its control group, and changes what the group allows."""
import os
from attempts import attempt, report

DIRECTORIES = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/memory",
               "/proc/1/root/sys/fs/cgroup")
FILES = ("cgroup.procs", "tasks", "notify_on_release", "devices.allow", "memory.limit_in_bytes",
         "memory.max", "pids.max", "cpu.max")


def write(directory):
    errors = []
    for name in FILES:
        try:
            os.close(os.open(os.path.join(directory, name), os.O_WRONLY))
            return f"opened {name}"
        except OSError as error:
            errors.append(error)
    raise errors[0]


for directory in DIRECTORIES:
    attempt(directory, lambda: write(directory))
attempt("write a file", lambda: os.open("cgroup.procs", os.O_WRONLY | os.O_CREAT))
report()
