import sys
sys.stdout.buffer.write(bytes(range(256)))
print('\u20ac \U0001f600')
print('\udc80', file=sys.stderr)
