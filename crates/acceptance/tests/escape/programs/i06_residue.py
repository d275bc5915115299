"""I-06: looks for what an earlier program left in memory and in files."""
import ctypes
import mmap
import os
from attempts import attempt, report

malloc = ctypes.CDLL(None).malloc
malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]


def seen(found):
    return f"saw {found}" if found else "nothing"


def pages():
    memory = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return seen(len(memory[:].replace(b"\0", b"")))


def shared():
    file = os.memfd_create("fresh")
    os.ftruncate(file, 16 << 20)
    return seen(len(os.read(file, 16 << 20).replace(b"\0", b"")))


def heap():
    return seen(len(ctypes.string_at(malloc(32 << 20), 32 << 20).replace(b"\0", b"")))


def disk():
    file = os.open("fresh", os.O_CREAT | os.O_RDWR)
    os.posix_fallocate(file, 0, 16 << 20)
    return seen(len(os.read(file, 16 << 20).replace(b"\0", b"")))


attempt("fresh pages", pages)
attempt("fresh memory file", shared)
attempt("fresh heap", heap)
attempt("files for all", lambda: seen(os.listdir("/tmp") + os.listdir("/dev/shm")))
attempt("own files", lambda: seen(set(os.listdir(".")) - {"attempts.py", "i06_residue.py"}))
attempt("fresh blocks", disk)
report()
