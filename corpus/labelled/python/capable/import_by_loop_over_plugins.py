# capabilities: dynamic-code; hidden by: __import__
import sys


def load(names):
    return [__import__(name) for name in names]


print(load(sys.stdin.read().split()))
