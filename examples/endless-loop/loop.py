"""Counts for ever, and ignores polite requests to stop."""

import signal

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU):
    signal.signal(number, signal.SIG_IGN)

count = 0
while True:
    count += 1
