"""X-02: asks of files that all sandboxes share who has read them, and leaves marks on them."""
import ctypes
import fcntl
import mmap
import os
from attempts import attempt, call, report

MINCORE, CACHESTAT, F_SETLEASE = 27, 451, 1024
file = os.open("/usr/bin/env", os.O_RDONLY)
seen = ctypes.create_string_buffer(4096)
place = ctypes.c_void_p(call(9, 0, 4096, 1, 1, file, 0))


def first_marks():
    before = os.stat("/usr/bin/env").st_atime_ns
    os.pread(file, 1, 0)
    os.utime(file, ns=(before + 1, before))


attempt("pages in memory", lambda: call(MINCORE, place, 4096, seen))
attempt("state of the cache", lambda: call(CACHESTAT, file, b"\0" * 16, seen, 0))
attempt("a lease", lambda: fcntl.fcntl(file, F_SETLEASE, fcntl.F_RDLCK))
attempt("time of access", first_marks)
attempt("an attribute", lambda: os.setxattr(file, "user.mark", b"x"))
attempt("a writable map", lambda: mmap.mmap(file, 4096, flags=mmap.MAP_SHARED))
# Known: locks on shared files are seen by other sandboxes. SECURITY.md says so.
attempt("a lock", lambda: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB))
report()
