# capabilities: none; resembles: breakpoint as help text
import argparse

parser = argparse.ArgumentParser(description='Explains breakpoint.')
parser.add_argument('--breakpoint', help='how often breakpoint(...) was seen', type=int, default=0)


def show(options):
    return f'breakpoint: {options}'


print(show(parser.parse_args([])))
