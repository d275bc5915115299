"""F-10: claims sizes that no disk has."""
import os
from attempts import attempt, report

file = os.open("sparse", os.O_CREAT | os.O_RDWR)
# Beyond the limit on a file's size comes SIGXFSZ, which Python ignores; EFBIG remains.
attempt("truncate to an exbibyte", lambda: os.ftruncate(file, 1 << 60))
attempt("write at an exbibyte", lambda: os.pwrite(file, b"x", 1 << 60))
attempt("allocate a tebibyte", lambda: os.posix_fallocate(file, 0, 1 << 40))
attempt("allocate all and more", lambda: [
    os.posix_fallocate(os.open(f"f{n}", os.O_CREAT | os.O_RDWR), 0, 200 << 20) for n in range(4)])
attempt("allocate a page", lambda: os.posix_fallocate(file, 0, 4096))
report()
