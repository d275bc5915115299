# capabilities: processes; hidden by: operator.methodcaller
import operator
import os

print(operator.methodcaller("system", "echo ready")(os))
