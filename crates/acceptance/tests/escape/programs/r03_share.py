"""R-03: measures what it gets of the processors while it is as busy as it can be."""
import os
import time
from attempts import attempt, report

GRANTED = float(os.environ.get("GRANTED", "1"))


def share():
    """The most that it got in one of three tries; other programs may be busy, too."""
    most = 0
    for _ in range(3):
        began, used = time.monotonic(), sum(os.times()[:2])
        while time.monotonic() - began < 0.7:
            pass
        most = max(most, (sum(os.times()[:2]) - used) / (time.monotonic() - began))
    # A period of the quota more or less at either end.
    return f"got {most:.2f}" if most > GRANTED + 0.25 else "nothing"


attempt("more than was granted", share)
report()
