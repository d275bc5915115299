# capabilities: none; resembles: popen as local module
from . import popen


def start(values):
    return sorted(values)


print(start([2, 1]))
