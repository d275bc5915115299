# capabilities: none; resembles: importlib as nested function
def make(offset):
    def importlib(value):
        return value + offset
    return importlib


add = make(3)
print(add(4), make(1)(1))
