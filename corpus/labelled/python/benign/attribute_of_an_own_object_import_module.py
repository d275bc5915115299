# capabilities: none; resembles: import_module as attribute of an own object
class Car:
    def __init__(self):
        self.import_module = None

    def ready(self):
        return self.import_module is not None


car = Car()
car.import_module = 'set'
print(car.ready())
