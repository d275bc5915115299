"""K-12: ends every process that it may signal, with the signal that nobody can ignore."""
import os
import signal
from attempts import attempt, begin, report

begin("kill all")
attempt("kill all", lambda: os.kill(-1, signal.SIGKILL))
report()
