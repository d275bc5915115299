# capabilities: none; resembles: chroot as own class
class chroot:
    def __init__(self, size):
        self.size = size

    def area(self):
        return self.size ** 2


print(chroot(3).area())
