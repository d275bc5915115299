"""F-15: overwrites the running executable and that of the first process (CVE-2019-5736)."""
import os
from attempts import attempt, report

for process in ("self", "1"):
    path = f"/proc/{process}/exe"
    attempt(f"write {process}", lambda: os.open(path, os.O_WRONLY))
    attempt(f"truncate {process}", lambda: os.truncate(path, 0))


def held():
    file = os.open("/proc/self/exe", os.O_PATH)
    os.open(f"/proc/self/fd/{file}", os.O_WRONLY)


attempt("write by a held descriptor", held)
attempt("read self", lambda: os.open("/proc/self/exe", os.O_RDONLY))
report()
