# capabilities: none; resembles: signal as help text
import argparse

parser = argparse.ArgumentParser(description='Explains signal.')
parser.add_argument('--signal', help='how often signal(...) was seen', type=int, default=0)


def show(options):
    return f'signal: {options}'


print(show(parser.parse_args([])))
