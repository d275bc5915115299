# capabilities: none; resembles: os
import os


def describe(error):
    return os.strerror(error.errno or 0)


print(describe(OSError(2, "x")), os.linesep == "\n", os.name)
