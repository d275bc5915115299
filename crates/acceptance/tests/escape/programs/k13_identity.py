"""K-13: becomes another user, and runs programs that would make it one."""
import os
import struct
import subprocess
from attempts import attempt, call, report

CAPSET = 126
attempt("setuid", lambda: os.setuid(0))
attempt("setgid", lambda: os.setgid(0))
attempt("setresuid", lambda: os.setresuid(0, 0, 0))
attempt("setreuid to itself", lambda: os.setreuid(-1, os.getuid()))
attempt("setgroups", lambda: os.setgroups([0]))
attempt("setfsuid", lambda: call(122, 0))
attempt("capset", lambda: call(CAPSET, struct.pack("<Ii", 0x20080522, 0), b"\xff" * 24))


def ids_of(arguments):
    """Whoever runs with more privilege than this process cannot be looked at, or shows it."""
    assert os.stat(arguments[0]).st_mode & 0o4000
    child = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    try:
        with open(f"/proc/{child.pid}/status") as file:
            ids = next(line.split()[1:] for line in file if line.startswith("Uid:"))
    finally:
        child.kill()
        child.wait()
    return None if set(ids) == {str(os.getuid())} else f"ids {ids}"


attempt("run a setuid program", lambda: ids_of(["/usr/bin/su", "-c", "id"]))
attempt("give a program to root", lambda: os.chown(__file__, 0, 0))


def gains():
    with open("/proc/self/status") as file:
        lines = [line.split() for line in file]
    return "nothing" if ["NoNewPrivs:", "1"] in lines else "saw no bar to new privileges"


attempt("bar to new privileges", gains)
attempt("own identity", lambda: os.getresuid())
report()
