"""R-01: makes more processes than it may have, living ones and ended ones; never more than 150."""
import os
import signal
from attempts import attempt, report

COUNT = 150


def children(life):
    made = []
    try:
        for _ in range(COUNT):
            child = os.fork()
            if child == 0:
                life()
                os._exit(0)
            made.append(child)
    finally:
        for child in made:
            os.kill(child, signal.SIGKILL)
        for child in made:
            os.waitpid(child, 0)


attempt("a hundred and fifty children", lambda: children(signal.pause))
attempt("a hundred and fifty zombies", lambda: children(lambda: None))
report()
