# capabilities: none; resembles: load as nested function
def make(offset):
    def load(value):
        return value + offset
    return load


add = make(3)
print(add(4), make(1)(1))
