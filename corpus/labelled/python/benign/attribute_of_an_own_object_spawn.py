# capabilities: none; resembles: spawn as attribute of an own object
class Car:
    def __init__(self):
        self.spawn = None

    def ready(self):
        return self.spawn is not None


car = Car()
car.spawn = 'set'
print(car.ready())
