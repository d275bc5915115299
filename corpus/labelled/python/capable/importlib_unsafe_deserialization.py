# capabilities: unsafe-deserialization; hidden by: importlib
import importlib

module = importlib.import_module('pickle')
print(module.load(None))
