# capabilities: dynamic-code, files-read; hidden by: nothing
import sys

path = sys.argv[1] if len(sys.argv) > 1 else "/nonexistent/plugin.py"
with open(path) as file:
    exec(file.read(), {"__name__": "plugin"})
