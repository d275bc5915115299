"""I-04: writes to its own entries in /proc."""
import os
from attempts import attempt, report


def write(name, text):
    file = os.open(f"/proc/self/{name}", os.O_WRONLY)
    try:
        os.write(file, text)
    finally:
        os.close(file)


for name, text in (("oom_score_adj", b"-1000"), ("oom_adj", b"-17"), ("uid_map", b"0 0 1"),
                   ("gid_map", b"0 0 1"), ("setgroups", b"allow"), ("timerslack_ns", b"1"),
                   ("clear_refs", b"1"), ("mem", b"x"), ("attr/current", b"x"), ("comm", b"x"),
                   ("coredump_filter", b"0xff"), ("autogroup", b"-20"), ("loginuid", b"0")):
    attempt(name, lambda: write(name, text))
attempt("read oom_score_adj", lambda: open("/proc/self/oom_score_adj").read() and None)
report()
