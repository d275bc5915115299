# capabilities: none; resembles: signal as local module
from . import signal


def start(values):
    return sorted(values)


print(start([2, 1]))
