# capabilities: none; resembles: pickle as help text
import argparse

parser = argparse.ArgumentParser(description='Explains pickle.')
parser.add_argument('--pickle', help='how often pickle(...) was seen', type=int, default=0)


def show(options):
    return f'pickle: {options}'


print(show(parser.parse_args([])))
