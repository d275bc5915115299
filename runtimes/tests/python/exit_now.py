import os, sys
sys.stdout.write('lost')
sys.stderr.write('kept\n')
try:
    os._exit(9)
finally:
    print('never')
