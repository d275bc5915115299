# capabilities: system-information; hidden by: context manager
import contextlib
import platform as kit


@contextlib.contextmanager
def scope():
    yield kit.node()


with scope() as value:
    print(value)
