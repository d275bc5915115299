# capabilities: native-code; hidden by: importlib
import importlib

module = importlib.import_module('ctypes')
print(module.string_at(0, 0))
