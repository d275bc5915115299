# capabilities: none; resembles: run as attribute of an own object
class Car:
    def __init__(self):
        self.run = None

    def ready(self):
        return self.run is not None


car = Car()
car.run = 'set'
print(car.ready())
