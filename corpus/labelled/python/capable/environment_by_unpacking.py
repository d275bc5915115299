# capabilities: environment; hidden by: unpacked mapping
from os import environ

options = {"LEVEL": "1", **environ}
print(options["LEVEL"])
