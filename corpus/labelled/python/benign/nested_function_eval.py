# capabilities: none; resembles: eval as nested function
def make(offset):
    def eval(value):
        return value + offset
    return eval


add = make(3)
print(add(4), make(1)(1))
