# capabilities: none; resembles: compile as own class
class compile:
    def __init__(self, size):
        self.size = size

    def area(self):
        return self.size ** 2


print(compile(3).area())
