"""I-02: looks for secrets and names of the host in what every process is given."""
import os
from attempts import attempt, report

EXPECTED = {"PATH", "HOME", "TMPDIR", "LANG", "PYTHONDONTWRITEBYTECODE"}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def seen(found):
    return f"saw {found}" if found else "nothing"


def initial():
    variables = read("/proc/self/environ").decode(errors="replace").split("\0")
    return seen([name for name in variables if name.startswith("SECRET_OF")])


attempt("variables of the caller", lambda: seen(os.environ.get("SECRET_OF_THE_CALLER")))
attempt("unexpected variables", lambda: seen(sorted(set(os.environ) - EXPECTED)))
attempt("initial variables", initial)
attempt("name of the host", lambda: seen([n for n in (os.uname().nodename,) if n != "atoll"]))
attempt("identity of the machine", lambda: seen(read("/etc/machine-id")))
attempt("identity of the boot", lambda: seen(read("/proc/sys/kernel/random/boot_id")))
attempt("users", lambda: seen([line for line in read("/etc/passwd").decode().split()
                               if line.split(":")[0] not in ("root", "guest", "nobody")]))
attempt("own arguments", lambda: read("/proc/self/cmdline") and None)
report()
