"""R-06: a child that was left behind goes on writing after the program has ended."""
import os
import sys
from attempts import attempt, report

attempt("flood afterwards", lambda: None)
report()
if os.fork() == 0:
    os.setsid()
    while True:
        os.write(2, b"y" * 4096)
sys.exit(0)
