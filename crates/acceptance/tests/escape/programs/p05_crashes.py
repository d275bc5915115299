"""P-05: crashes in every way, each in a child, and says what its parent was told."""
import ctypes
import os
import resource
import signal
from attempts import apart, attempt, report


def overflow():
    def deeper():
        return ctypes.CFUNCTYPE(ctypes.c_int)(deeper)()
    deeper()


def stack():
    function = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda place: None)
    ctypes.memset(ctypes.addressof(function) - (1 << 40), 0, 1)


apart("abort", os.abort)
apart("read of null", lambda: ctypes.string_at(0))
apart("write far away", stack)
for name in ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGKILL", "SIGXCPU", "SIGTRAP", "SIGSYS"):
    apart(name, lambda: os.kill(os.getpid(), getattr(signal, name)))
attempt("core files", lambda: resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20)))
attempt("own files", lambda: "nothing" if sorted(os.listdir("."))
        == ["attempts.py", os.path.basename(__file__)] else str(os.listdir(".")))
report()
