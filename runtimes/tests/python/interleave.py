import sys
print('a')
sys.stdout.flush()
print('b', file=sys.stderr)
print('c')
