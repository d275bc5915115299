# capabilities: none; resembles: import_module as parameter
def scale(import_module, factor=2):
    return [import_module * factor, import_module + factor]


print(scale(4), scale(import_module=5))
