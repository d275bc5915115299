# capabilities: none; resembles: ctypes as own class
class ctypes:
    def __init__(self, size):
        self.size = size

    def area(self):
        return self.size ** 2


print(ctypes(3).area())
