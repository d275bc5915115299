# capabilities: processes; hidden by: signal handler
import os
import signal


def on_alarm(number, frame):
    os.kill(os.getpid(), 0)


signal.signal(signal.SIGALRM, on_alarm)
