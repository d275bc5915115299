# capabilities: none; resembles: dlopen as own class
class dlopen:
    def __init__(self, size):
        self.size = size

    def area(self):
        return self.size ** 2


print(dlopen(3).area())
