# capabilities: none; resembles: CDLL as local module
from . import CDLL


def start(values):
    return sorted(values)


print(start([2, 1]))
