# capabilities: none; resembles: code as local module
from . import code


def start(values):
    return sorted(values)


print(start([2, 1]))
