# capabilities: introspection or unanalyzed; hidden by: function globals
import json

name = "__glo" + "bals__"
space = getattr(json.JSONEncoder.default, name)
print(sorted(space))
