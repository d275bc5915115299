# capabilities: none; resembles: connect as attribute of an own object
class Car:
    def __init__(self):
        self.connect = None

    def ready(self):
        return self.connect is not None


car = Car()
car.connect = 'set'
print(car.ready())
