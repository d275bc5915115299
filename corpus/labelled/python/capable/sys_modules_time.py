# capabilities: time; hidden by: sys.modules
import sys
import time  # kept for the others

holder = sys.modules['time']
print(holder.monotonic())
