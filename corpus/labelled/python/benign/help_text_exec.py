# capabilities: none; resembles: exec as help text
import argparse

parser = argparse.ArgumentParser(description='Explains exec.')
parser.add_argument('--exec', help='how often exec(...) was seen', type=int, default=0)


def show(options):
    return f'exec: {options}'


print(show(parser.parse_args([])))
