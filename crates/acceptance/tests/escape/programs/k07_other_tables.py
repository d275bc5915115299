"""K-07: makes calls by other numbers: of the x32 table, beyond every table, of 32-bit programs."""
import ctypes
import mmap
import os
from attempts import apart, attempt, call, report

X32 = 0x40000000
CALLS = {"getpid": 39, "openat": 257, "mount": 165, "ptrace": 101, "execve": 520}
for name, number in CALLS.items():
    apart(f"x32 {name}", lambda: call(X32 | number, 0, 0, 0, 0, 0, 0))
for number in (600, 1 << 16, 0x7FFFFFFF, 0xFFFFFFFF):
    apart(f"number {number:#x}", lambda: call(number, 0, 0, 0, 0, 0, 0))


def from_code(code):
    file = os.memfd_create("code")
    os.write(file, code)
    memory = ctypes.CDLL(None).mmap
    memory.restype, memory.argtypes = ctypes.c_void_p, [ctypes.c_void_p] + [ctypes.c_long] * 5
    place = memory(None, 4096, mmap.PROT_READ | mmap.PROT_EXEC, mmap.MAP_PRIVATE, file, 0)
    if place in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "failed")
    result = ctypes.CFUNCTYPE(ctypes.c_int)(place)()
    if result < 0:
        raise OSError(-result, "failed")


# mov eax, 20 (getpid of 32-bit programs) or 21 (their mount); int 0x80; ret
apart("32-bit getpid", lambda: from_code(b"\xb8\x14\0\0\0\xcd\x80\xc3"))
apart("32-bit mount", lambda: from_code(b"\xb8\x15\0\0\0\xcd\x80\xc3"))
# mov eax, 39 (getpid); syscall; ret
apart("64-bit getpid", lambda: from_code(b"\xb8\x27\0\0\0\x0f\x05\xc3"))
attempt("after all of them", lambda: None)
report()
