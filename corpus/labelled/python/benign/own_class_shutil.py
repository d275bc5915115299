# capabilities: none; resembles: shutil as own class
class shutil:
    def __init__(self, size):
        self.size = size

    def area(self):
        return self.size ** 2


print(shutil(3).area())
