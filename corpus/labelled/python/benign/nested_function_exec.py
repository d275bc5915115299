# capabilities: none; resembles: exec as nested function
def make(offset):
    def exec(value):
        return value + offset
    return exec


add = make(3)
print(add(4), make(1)(1))
