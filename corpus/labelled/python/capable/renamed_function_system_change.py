# capabilities: system-change; hidden by: renamed function
from os import setpriority as step


def pipeline(rounds):
    return [step(0, 0, 5) for _ in range(rounds)]


print(pipeline(1))
