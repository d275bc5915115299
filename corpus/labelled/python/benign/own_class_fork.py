# capabilities: none; resembles: fork as own class
class fork:
    def __init__(self, size):
        self.size = size

    def area(self):
        return self.size ** 2


print(fork(3).area())
