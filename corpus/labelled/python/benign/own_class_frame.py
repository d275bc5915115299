# capabilities: none; resembles: frame as own class
class frame:
    def __init__(self, size):
        self.size = size

    def area(self):
        return self.size ** 2


print(frame(3).area())
