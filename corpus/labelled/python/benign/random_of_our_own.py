# capabilities: none; resembles: random
class Random:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 1103515245 + 12345) % 2**31
        return self.state


random = Random(1)
print(random.next())
