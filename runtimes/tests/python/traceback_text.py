import traceback


def f():
    raise RuntimeError('inside')


try:
    f()
except RuntimeError:
    print(traceback.format_exc())
