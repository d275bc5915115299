# capabilities: none; resembles: os as help text
import argparse

parser = argparse.ArgumentParser(description='Explains os.')
parser.add_argument('--os', help='how often os(...) was seen', type=int, default=0)


def show(options):
    return f'os: {options}'


print(show(parser.parse_args([])))
