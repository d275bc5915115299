# capabilities: none; resembles: CDLL as help text
import argparse

parser = argparse.ArgumentParser(description='Explains CDLL.')
parser.add_argument('--CDLL', help='how often CDLL(...) was seen', type=int, default=0)


def show(options):
    return f'CDLL: {options}'


print(show(parser.parse_args([])))
