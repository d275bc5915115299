"""P-03: leaves children to the first process, and tries to be the one they are left to."""
import os
import time
from attempts import attempt, call, report

PR_SET_CHILD_SUBREAPER = 36


def orphans():
    for _ in range(20):
        if os.fork() == 0:
            for _ in range(5):
                if os.fork() == 0:
                    os._exit(0)
            os._exit(0)
        os.wait()


def zombies():
    for _ in range(100):
        states = []
        for process in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{process}/stat") as file:
                    states.append(file.read().rsplit(") ", 1)[1][0])
            except (OSError, IndexError):
                pass
        if "Z" not in states:
            return "nothing"
        time.sleep(0.05)
    return f"saw {states}"


attempt("a hundred orphans", orphans)
attempt("zombies that stay", zombies)
attempt("be left others' children", lambda: call(157, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
report()
