# capabilities: none; resembles: compile as nested function
def make(offset):
    def compile(value):
        return value + offset
    return compile


add = make(3)
print(add(4), make(1)(1))
