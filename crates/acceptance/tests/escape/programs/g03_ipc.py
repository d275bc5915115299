"""G-03: reaches for shared memory of the host, and makes a queue that outlives it."""
import ctypes
import os
from attempts import attempt, call, report

SHMCTL, IPC_STAT, MQ_OPEN = 31, 2, 240
segment = int(os.environ.get("SEGMENT", "0"))
status = ctypes.create_string_buffer(256)
attempt("a segment of the host", lambda: call(SHMCTL, segment, IPC_STAT, status))
attempt("make a queue",
        lambda: call(MQ_OPEN, b"canary", os.O_CREAT | os.O_RDWR, 0o600, 0))
report()
