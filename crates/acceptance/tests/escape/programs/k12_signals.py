"""K-12: sends signals to the host, to whoever supervises it, and to all."""
import os
import signal
from attempts import HOST_PROCESS, attempt, call, descriptor_of, report

TKILL, TGKILL, PIDFD_SEND_SIGNAL, SIGQUEUE = 200, 234, 424, 129
host = int(HOST_PROCESS)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
attempt("kill the host's process", lambda: os.kill(host, signal.SIGKILL))
attempt("kill its group", lambda: os.kill(-host, signal.SIGKILL))
attempt("tgkill", lambda: call(TGKILL, host, host, signal.SIGKILL))
attempt("tkill", lambda: call(TKILL, host, signal.SIGKILL))
attempt("kill the first process", lambda: os.kill(1, signal.SIGKILL))
attempt("stop the first process", lambda: os.kill(1, signal.SIGSTOP))
first = descriptor_of(1)
attempt("kill the first by descriptor",
        lambda: call(PIDFD_SEND_SIGNAL, first, signal.SIGKILL, 0, 0))
attempt("queue a signal", lambda: call(SIGQUEUE, host, signal.SIGTERM, b"\0" * 128))
attempt("signal all", lambda: os.kill(-1, signal.SIGTERM))
attempt("signal itself", lambda: os.kill(os.getpid(), signal.SIGTERM))
report()
