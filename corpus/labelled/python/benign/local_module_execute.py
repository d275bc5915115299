# capabilities: none; resembles: execute as local module
from . import execute


def start(values):
    return sorted(values)


print(start([2, 1]))
