# capabilities: none; resembles: files
import sys

for line in sys.stdin:
    sys.stdout.write(line.upper())
sys.stderr.write("done\n")
