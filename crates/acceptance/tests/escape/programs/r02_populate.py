"""R-02: maps memory with every page present from the start, and locked."""
import ctypes
from attempts import attempt, begin, call, report

MMAP, MLOCK = 9, 149
PRIVATE_ANONYMOUS, POPULATE, LOCKED, HUGE = 0x22, 0x8000, 0x2000, 0x40000
attempt("locked", lambda: call(MMAP, 0, 1 << 30, 3, PRIVATE_ANONYMOUS | LOCKED, -1, 0))
attempt("huge pages", lambda: call(MMAP, 0, 1 << 30, 3, PRIVATE_ANONYMOUS | HUGE, -1, 0))
attempt("mlockall", lambda: call(151, 3))
attempt("mlock", lambda: call(MLOCK, ctypes.create_string_buffer(1 << 20), 1 << 20))
attempt("four megabytes", lambda: call(MMAP, 0, 4 << 20, 3, PRIVATE_ANONYMOUS | POPULATE, -1, 0))
report()
begin("four gibibytes at once")
attempt("four gibibytes at once",
        lambda: call(MMAP, 0, 4 << 30, 3, PRIVATE_ANONYMOUS | POPULATE, -1, 0))
report()
