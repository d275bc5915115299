# capabilities: none; resembles: exec as attribute of an own object
class Car:
    def __init__(self):
        self.exec = None

    def ready(self):
        return self.exec is not None


car = Car()
car.exec = 'set'
print(car.ready())
