# capabilities: introspection, processes; hidden by: excepthook
import os
import sys


def hook(kind, value, trace):
    os.system("echo failed")


sys.excepthook = hook
