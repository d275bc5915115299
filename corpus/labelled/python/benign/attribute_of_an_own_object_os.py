# capabilities: none; resembles: os as attribute of an own object
class Car:
    def __init__(self):
        self.os = None

    def ready(self):
        return self.os is not None


car = Car()
car.os = 'set'
print(car.ready())
