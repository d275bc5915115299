# capabilities: none; resembles: types
from types import MappingProxyType, SimpleNamespace

settings = MappingProxyType({"level": 3})
print(settings["level"], SimpleNamespace(a=1).a)
