# capabilities: introspection, processes; hidden by: inspect
import inspect
import os

for name, function in inspect.getmembers(os, inspect.isbuiltin):
    if name == "getpid" or name.startswith("syst"):
        print(name, function)
