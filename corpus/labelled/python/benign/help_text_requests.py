# capabilities: none; resembles: requests as help text
import argparse

parser = argparse.ArgumentParser(description='Explains requests.')
parser.add_argument('--requests', help='how often requests(...) was seen', type=int, default=0)


def show(options):
    return f'requests: {options}'


print(show(parser.parse_args([])))
