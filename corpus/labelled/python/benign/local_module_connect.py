# capabilities: none; resembles: connect as local module
from . import connect


def start(values):
    return sorted(values)


print(start([2, 1]))
