# capabilities: none; resembles: sys
import sys

sys.setrecursionlimit(5000)


def depth(number):
    return 0 if number == 0 else 1 + depth(number - 1)


print(depth(2000), sys.maxsize > 2**32, sys.version_info[:2])
