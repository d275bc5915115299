# capabilities: dynamic-code, native-code; hidden by: importlib
from importlib.machinery import ExtensionFileLoader

loader = ExtensionFileLoader("fast", "/nonexistent/fast.so")
print(loader.get_filename("fast"))
