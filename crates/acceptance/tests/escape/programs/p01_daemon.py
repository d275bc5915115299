"""P-01: leaves its session and its parent, closes everything, and means to live on."""
import os
import signal
import sys
import time
from attempts import attempt, report

ready_reader, ready_writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN) if number < 32 else None
        os.chdir("/")
        os.write(ready_writer, b"x")
        os.closerange(0, 256)
        while True:
            time.sleep(1000)
    os._exit(0)
os.read(ready_reader, 1)
attempt("daemon", lambda: None)
report()
sys.exit(0)
