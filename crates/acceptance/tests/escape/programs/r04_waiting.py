"""R-04: reads from an input that never ends, and from a pipe that nobody writes to."""
import os
import sys
from attempts import attempt, begin, report

attempt("make a pipe", lambda: os.mkfifo("pipe"))
report()
begin("read for ever")
while True:
    sys.stdin.read(1)
    os.read(os.pipe()[0], 1)
