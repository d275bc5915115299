# capabilities: none; resembles: with open
import contextlib


@contextlib.contextmanager
def indent(level):
    yield " " * level


with indent(4) as space:
    print(space + "x")
