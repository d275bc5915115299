# capabilities: none; resembles: pickle as attribute of an own object
class Car:
    def __init__(self):
        self.pickle = None

    def ready(self):
        return self.pickle is not None


car = Car()
car.pickle = 'set'
print(car.ready())
