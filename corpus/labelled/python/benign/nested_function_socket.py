# capabilities: none; resembles: socket as nested function
def make(offset):
    def socket(value):
        return value + offset
    return socket


add = make(3)
print(add(4), make(1)(1))
