"""K-01: traces, reads and writes other processes, and takes their descriptors."""
import ctypes
import os
from attempts import HOST_PROCESS, apart, attempt, call, descriptor_of, report

PTRACE, VM_READV, VM_WRITEV, KCMP, PIDFD_OPEN, PIDFD_GETFD = 101, 310, 311, 312, 434, 438
ATTACH, SEIZE, TRACEME = 16, 0x4206, 0
host = int(HOST_PROCESS)
buffer = ctypes.create_string_buffer(64)

attempt("attach to the host", lambda: call(PTRACE, ATTACH, host, 0, 0))
attempt("attach to the first process", lambda: call(PTRACE, ATTACH, 1, 0, 0))
attempt("seize a sibling", lambda: call(PTRACE, SEIZE, os.getppid(), 0, 0))
attempt("be traced", lambda: call(PTRACE, TRACEME, 0, 0, 0))
attempt("read memory", lambda: call(VM_READV, 1, buffer, 1, buffer, 1, 0))
apart("write memory", lambda: call(VM_WRITEV, 1, buffer, 1, buffer, 1, 0))
attempt("compare processes", lambda: call(KCMP, os.getpid(), 1, 0, 0, 0))
own = descriptor_of(os.getpid())
attempt("take a descriptor", lambda: call(PIDFD_GETFD, own, 0, 0))
attempt("open the host's process", lambda: call(PIDFD_OPEN, host, 0))
attempt("open itself", lambda: call(PIDFD_OPEN, os.getpid(), 0))
report()
