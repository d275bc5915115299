# capabilities: none; resembles: requests as attribute of an own object
class Car:
    def __init__(self):
        self.requests = None

    def ready(self):
        return self.requests is not None


car = Car()
car.requests = 'set'
print(car.ready())
