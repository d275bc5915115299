# capabilities: none; resembles: subprocess as local module
from . import subprocess


def start(values):
    return sorted(values)


print(start([2, 1]))
