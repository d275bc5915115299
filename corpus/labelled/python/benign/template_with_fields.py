# capabilities: none; resembles: format-string attribute access
from types import SimpleNamespace

user = SimpleNamespace(name="ada", city=SimpleNamespace(name="x"))
print("{0.name} in {0.city.name}".format(user))
