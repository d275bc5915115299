import argparse
p = argparse.ArgumentParser(prog='tool')
p.add_argument('numbers', type=int, nargs='*')
p.add_argument('--sum', action='store_true')
a = p.parse_args(['1', '2', '--sum'])
print(sum(a.numbers))
p.parse_args(['x'])
