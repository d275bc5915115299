# capabilities: none; resembles: marshal as own class
class marshal:
    def __init__(self, size):
        self.size = size

    def area(self):
        return self.size ** 2


print(marshal(3).area())
