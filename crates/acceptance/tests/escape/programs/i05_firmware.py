"""I-05: looks for what the kernel shows of the machine: firmware, debugging, tracing."""
import os
from attempts import attempt, report

for path in ("/sys", "/sys/firmware", "/sys/kernel/debug", "/sys/kernel/tracing", "/sys/fs/cgroup",
             "/sys/firmware/efi/efivars", "/sys/class/net", "/sys/block", "/proc/acpi",
             "/proc/scsi", "/proc/sys", "/proc/sysrq-trigger", "/proc/interrupts", "/proc/bus",
             "/run", "/boot"):
    attempt(path, lambda: str(os.listdir(path)) if os.path.isdir(path) else str(os.stat(path)))
attempt("/usr", lambda: os.listdir("/usr") and None)
report()
