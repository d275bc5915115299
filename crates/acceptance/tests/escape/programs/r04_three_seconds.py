"""R-04: sleeps for three seconds, which is more than it was given."""
import time
from attempts import attempt, begin, report

begin("three seconds")
attempt("three seconds", lambda: time.sleep(3))
report()
