# capabilities: introspection; resembles: sys.modules
import sys

print("json" in sys.modules)
print(len(sys.argv))
