# capabilities: files-write; hidden by: star import
from os import *


def main(rounds=1):
    for _ in range(rounds):
        print(mkdir('/nonexistent/new'))


main()
