# capabilities: none; resembles: signal as attribute of an own object
class Car:
    def __init__(self):
        self.signal = None

    def ready(self):
        return self.signal is not None


car = Car()
car.signal = 'set'
print(car.ready())
