# capabilities: none; resembles: run as help text
import argparse

parser = argparse.ArgumentParser(description='Explains run.')
parser.add_argument('--run', help='how often run(...) was seen', type=int, default=0)


def show(options):
    return f'run: {options}'


print(show(parser.parse_args([])))
