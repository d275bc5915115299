# capabilities: none; resembles: breakpoint as attribute of an own object
class Car:
    def __init__(self):
        self.breakpoint = None

    def ready(self):
        return self.breakpoint is not None


car = Car()
car.breakpoint = 'set'
print(car.ready())
