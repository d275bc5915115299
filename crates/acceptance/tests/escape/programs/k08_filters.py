"""K-08: installs a filter of its own, and changes what prctl(2) says about itself."""
import ctypes
import struct
from attempts import attempt, call, report

SECCOMP, PRCTL = 317, 157
SET_DUMPABLE, SET_SECCOMP, SET_MM, SET_PTRACER, CAP_AMBIENT, SET_SECUREBITS, CAPBSET_DROP = (
    4, 22, 35, 0x59616D61, 47, 28, 24)
allow_all = ctypes.create_string_buffer(struct.pack("<HBBI", 6, 0, 0, 0x7FFF0000))
program = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", 1, ctypes.addressof(allow_all)))
NEW_LISTENER, TSYNC = 8, 1

attempt("filter", lambda: call(SECCOMP, 1, 0, program))
attempt("filter for all threads", lambda: call(SECCOMP, 1, TSYNC, program))
attempt("listener", lambda: call(SECCOMP, 1, NEW_LISTENER, program))
attempt("strict mode", lambda: call(SECCOMP, 0, 0, 0))
attempt("filter by prctl", lambda: call(PRCTL, SET_SECCOMP, 2, program, 0, 0))
attempt("allow tracers", lambda: call(PRCTL, SET_PTRACER, -1, 0, 0, 0))
attempt("move the memory map", lambda: call(PRCTL, SET_MM, 1, 0, 0, 0))
attempt("ambient capability", lambda: call(PRCTL, CAP_AMBIENT, 2, 21, 0, 0))
attempt("secure bits", lambda: call(PRCTL, SET_SECUREBITS, 0, 0, 0, 0))
attempt("unset no_new_privs", lambda: call(PRCTL, 38, 0, 0, 0, 0))
attempt("be dumpable", lambda: call(PRCTL, SET_DUMPABLE, 1, 0, 0, 0))
report()
