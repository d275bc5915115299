# capabilities: environment; hidden by: method of a mapping
import os as system

level = system.environ.pop("LEVEL", None)
print(level)
