# capabilities: none; resembles: setuid as nested function
def make(offset):
    def setuid(value):
        return value + offset
    return setuid


add = make(3)
print(add(4), make(1)(1))
