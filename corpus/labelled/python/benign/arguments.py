# capabilities: none; resembles: sys
import sys


def main(arguments):
    return sum(int(argument) for argument in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) and 0)
