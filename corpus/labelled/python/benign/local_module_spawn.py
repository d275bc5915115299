# capabilities: none; resembles: spawn as local module
from . import spawn


def start(values):
    return sorted(values)


print(start([2, 1]))
