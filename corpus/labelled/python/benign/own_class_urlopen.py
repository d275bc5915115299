# capabilities: none; resembles: urlopen as own class
class urlopen:
    def __init__(self, size):
        self.size = size

    def area(self):
        return self.size ** 2


print(urlopen(3).area())
