# capabilities: none; resembles: exec as local module
from . import exec


def start(values):
    return sorted(values)


print(start([2, 1]))
