# capabilities: none; resembles: bind as own class
class bind:
    def __init__(self, size):
        self.size = size

    def area(self):
        return self.size ** 2


print(bind(3).area())
