# capabilities: time; hidden by: star import
from time import *


def main(rounds=1):
    for _ in range(rounds):
        print(monotonic())


main()
