# capabilities: none; resembles: pickle as local module
from . import pickle


def start(values):
    return sorted(values)


print(start([2, 1]))
