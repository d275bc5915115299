# capabilities: none; resembles: loads as nested function
def make(offset):
    def loads(value):
        return value + offset
    return loads


add = make(3)
print(add(4), make(1)(1))
