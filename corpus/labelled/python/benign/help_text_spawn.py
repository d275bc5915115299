# capabilities: none; resembles: spawn as help text
import argparse

parser = argparse.ArgumentParser(description='Explains spawn.')
parser.add_argument('--spawn', help='how often spawn(...) was seen', type=int, default=0)


def show(options):
    return f'spawn: {options}'


print(show(parser.parse_args([])))
