# capabilities: dynamic-code; hidden by: nothing
import importlib
import sys

for name in sys.argv[1:]:
    plugin = importlib.import_module(name)
    plugin.start()
