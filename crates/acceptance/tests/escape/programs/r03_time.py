"""R-03: uses four seconds of processor time, in one process."""
import time
from attempts import attempt, begin, report


def busy():
    while time.process_time() < 4:
        pass


begin("four seconds of processor time")
attempt("four seconds of processor time", busy)
report()
