# capabilities: none; resembles: eval as own class
class eval:
    def __init__(self, size):
        self.size = size

    def area(self):
        return self.size ** 2


print(eval(3).area())
