# capabilities: none; resembles: system as nested function
def make(offset):
    def system(value):
        return value + offset
    return system


add = make(3)
print(add(4), make(1)(1))
