# capabilities: unsafe-deserialization; hidden by: renamed function
from marshal import loads as step


def pipeline(rounds):
    return [step(b'N') for _ in range(rounds)]


print(pipeline(1))
