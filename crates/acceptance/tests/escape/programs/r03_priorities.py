"""R-03: asks for more of the processor than its share."""
import os
import struct
import threading
from attempts import attempt, call, report

SCHED_SETATTR, IOPRIO_SET = 314, 251
attempt("nice", lambda: os.nice(-20))
attempt("setpriority", lambda: os.setpriority(os.PRIO_PROCESS, 0, -20))
attempt("priority of others", lambda: os.setpriority(os.PRIO_PROCESS, 1, 19))
for name in ("SCHED_FIFO", "SCHED_RR"):
    attempt(name, lambda: os.sched_setscheduler(0, getattr(os, name), os.sched_param(1)))
deadline = struct.pack("<IIQiIQQQ", 48, 6, 0, 0, 0, 10_000_000, 20_000_000, 20_000_000)
attempt("SCHED_DEADLINE", lambda: call(SCHED_SETATTR, 0, deadline, 0))
attempt("scheduler of the first process",
        lambda: os.sched_setscheduler(1, os.SCHED_BATCH, os.sched_param(0)))
attempt("input and output first", lambda: call(IOPRIO_SET, 1, 0, 1 << 13))
attempt("a lower priority", lambda: os.nice(1))


def threads():
    stop = threading.Event()
    for _ in range(1000):
        threading.Thread(target=stop.wait, daemon=True).start()


attempt("a thousand threads", threads)
report()
