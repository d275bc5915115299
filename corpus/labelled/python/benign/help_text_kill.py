# capabilities: none; resembles: kill as help text
import argparse

parser = argparse.ArgumentParser(description='Explains kill.')
parser.add_argument('--kill', help='how often kill(...) was seen', type=int, default=0)


def show(options):
    return f'kill: {options}'


print(show(parser.parse_args([])))
