# capabilities: none; resembles: introspection
import functools


def traced(function):
    @functools.wraps(function)
    def wrapper(*values):
        print(function.__name__, values)
        return function(*values)
    return wrapper


@traced
def add(a, b):
    return a + b


print(add(1, 2))
