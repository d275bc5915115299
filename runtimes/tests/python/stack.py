import traceback, inspect, sys


def f():
    traceback.print_stack(file=sys.stdout)
    print([frame.function for frame in inspect.stack()])


f()
