# capabilities: introspection, processes or unanalyzed; hidden by: function globals
import random


def reach(function):
    return function.__globals__


space = reach(random.Random.seed)
print(space["_os"].system("echo ready"))
