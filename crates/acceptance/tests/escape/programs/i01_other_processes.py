"""I-01: reads what /proc and /dev say of other processes and of the kernel."""
from attempts import HOST_PROCESS, attempt, call, report


def read(path):
    with open(path, "rb") as file:
        return f"read {file.read(64)!r}"


for path in ("/proc/1/environ", "/proc/1/maps", "/proc/1/cmdline", "/proc/kallsyms", "/proc/kcore",
             "/proc/keys", "/proc/sys/kernel/hostname", "/proc/modules", "/dev/kmsg"):
    attempt(path, lambda: read(path))
for name in ("environ", "cmdline", "maps", "status"):
    attempt(f"{name} of the host's process", lambda: read(f"/proc/{HOST_PROCESS}/{name}"))
attempt("kernel log", lambda: call(103, 3, b"\0" * 64, 64))
attempt("own status", lambda: read("/proc/self/status") and None)
report()
