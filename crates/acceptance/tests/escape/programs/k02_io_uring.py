"""K-02: makes system calls through io_uring, which a filter of system calls cannot see."""
import ctypes
from attempts import attempt, call, report

SETUP, ENTER, REGISTER = 425, 426, 427
parameters = ctypes.create_string_buffer(120)
attempt("set up", lambda: call(SETUP, 8, parameters))
polling = ctypes.create_string_buffer(b"\0" * 8 + b"\2", 120)
attempt("set up with polling", lambda: call(SETUP, 1, polling))
attempt("enter", lambda: call(ENTER, 0, 1, 0, 0, 0, 0))
attempt("register", lambda: call(REGISTER, 0xFFFFFFFF, 8, 0, 0))
attempt("make an event descriptor", lambda: call(290, 0, 0))
report()
