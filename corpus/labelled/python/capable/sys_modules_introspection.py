# capabilities: introspection; hidden by: sys.modules
import sys
import inspect  # kept for the others

holder = sys.modules['inspect']
print(holder.stack())
