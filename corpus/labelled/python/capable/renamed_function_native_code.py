# capabilities: native-code; hidden by: renamed function
from ctypes import PyDLL as step


def pipeline(rounds):
    return [step('libnonexistent.so') for _ in range(rounds)]


print(pipeline(1))
