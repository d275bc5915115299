# capabilities: none; resembles: exec as own class
class exec:
    def __init__(self, size):
        self.size = size

    def area(self):
        return self.size ** 2


print(exec(3).area())
