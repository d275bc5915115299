# capabilities: randomness; hidden by: decorator
import os as kit


def after(function):
    def wrapper(*values):
        kit.urandom(8)
        return function(*values)
    return wrapper


@after
def total(values):
    return sum(values)


print(total([1, 2]))
