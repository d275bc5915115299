# capabilities: none; resembles: connect as help text
import argparse

parser = argparse.ArgumentParser(description='Explains connect.')
parser.add_argument('--connect', help='how often connect(...) was seen', type=int, default=0)


def show(options):
    return f'connect: {options}'


print(show(parser.parse_args([])))
