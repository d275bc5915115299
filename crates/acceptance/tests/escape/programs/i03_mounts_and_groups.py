"""I-03: looks for paths and names of the host in the lists of mounts and control groups."""
import os
from attempts import CANARY, MARKER, attempt, report

HOST = (os.path.basename(os.path.dirname(CANARY)), MARKER, "atoll-", "tenant", "acceptance-")


def traces(path):
    with open(path) as file:
        text = file.read()
    found = [word for word in HOST if word in text]
    return f"saw {found}" if found else "nothing"


def groups():
    with open("/proc/self/cgroup") as file:
        paths = {line.strip().split(":", 2)[2] for line in file}
    return "nothing" if paths == {"/"} else f"saw {sorted(paths)}"


for name in ("mountinfo", "mounts", "cgroup", "maps"):
    attempt(name, lambda: traces(f"/proc/self/{name}"))
attempt("groups", groups)
attempt("own limits", lambda: open("/proc/self/limits").read() and None)
report()
