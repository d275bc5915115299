"""F-16: looks for descriptors that were left open, and for the way to directories of the host."""
import errno
import os
from attempts import attempt, report


def open_ones():
    found = []
    for descriptor in range(3, 4097):
        try:
            os.fstat(descriptor)
            found.append(descriptor)
        except OSError as error:
            if error.errno != errno.EBADF:
                found.append(descriptor)
    return f"descriptors {found}" if found else "nothing"


def directories():
    links = [os.readlink(f"/proc/self/fd/{number}") for number in (0, 1, 2)]
    outside = [link for link in links if not link.startswith("pipe:") and link != "/dev/null"]
    return f"links {outside}" if outside else "nothing"


attempt("descriptors from 3", open_ones)
attempt("what the standard streams lead to", directories)
attempt("standard streams", lambda: [os.fstat(number) for number in (0, 1, 2)])
attempt("descriptors of the first process", lambda: str(os.listdir("/proc/1/fd")))
report()
