# capabilities: files-write; hidden by: context manager
import contextlib
import os as kit


@contextlib.contextmanager
def scope():
    yield kit.remove('/nonexistent/old')


with scope() as value:
    print(value)
