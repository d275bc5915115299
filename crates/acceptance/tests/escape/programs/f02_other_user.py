"""F-02: reads a file that belongs to the user that another sandbox has."""
import os
from attempts import CANARY, attempt, report

attempt("a file of another sandbox's user",
        lambda: open(os.path.join(os.path.dirname(CANARY), "owned")).read() and None)
report()
