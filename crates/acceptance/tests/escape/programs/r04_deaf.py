"""R-04: ignores and blocks every signal, then sleeps for ever."""
import signal
import time
from attempts import begin

for number in signal.valid_signals():
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
begin("sleep for ever")
while True:
    time.sleep(1000)
