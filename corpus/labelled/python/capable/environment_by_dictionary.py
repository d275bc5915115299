# capabilities: environment; hidden by: copied mapping
import os

settings = dict(os.environ)
print(settings.get("LANG"))
