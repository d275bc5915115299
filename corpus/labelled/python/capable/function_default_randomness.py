# capabilities: randomness; hidden by: function default
import random as kit


def call(work=kit.randrange):
    return work(6)


print(call())
