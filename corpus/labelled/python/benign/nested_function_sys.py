# capabilities: none; resembles: sys as nested function
def make(offset):
    def sys(value):
        return value + offset
    return sys


add = make(3)
print(add(4), make(1)(1))
