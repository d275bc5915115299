# capabilities: processes; hidden by: sys.modules
import sys
import os  # kept for the others

holder = sys.modules['os']
print(holder.popen('echo ready'))
