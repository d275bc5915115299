"""T-01: sets the host's clocks, to the time that they show already."""
import struct
import time
from attempts import attempt, call, report

SETTIMEOFDAY, ADJTIMEX, CLOCK_SETTIME, CLOCK_ADJTIME, UNSHARE = 164, 159, 227, 305, 272
now = struct.pack("<qq", int(time.time()), 0)
attempt("settimeofday", lambda: call(SETTIMEOFDAY, now, 0))
attempt("clock_settime", lambda: call(CLOCK_SETTIME, 0, now))
attempt("clock_settime by python", lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()))
attempt("adjtimex", lambda: call(ADJTIMEX, b"\0" * 208))
attempt("clock_adjtime", lambda: call(CLOCK_ADJTIME, 0, b"\0" * 208))
attempt("unshare time", lambda: call(UNSHARE, 0x80))
attempt("offsets", lambda: open("/proc/self/timens_offsets", "w").write("monotonic 1 0"))
attempt("hardware clock", lambda: open("/dev/rtc0"))
attempt("wake the host", lambda: time.clock_gettime(10_000))
attempt("read the clock", lambda: time.clock_gettime(time.CLOCK_REALTIME))
report()
