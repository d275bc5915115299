# capabilities: none; resembles: __del__
class Counter:
    alive = 0

    def __init__(self):
        Counter.alive += 1

    def __del__(self):
        Counter.alive -= 1


counter = Counter()
del counter
print(Counter.alive)
