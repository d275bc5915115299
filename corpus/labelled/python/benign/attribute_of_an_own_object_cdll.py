# capabilities: none; resembles: CDLL as attribute of an own object
class Car:
    def __init__(self):
        self.CDLL = None

    def ready(self):
        return self.CDLL is not None


car = Car()
car.CDLL = 'set'
print(car.ready())
