# capabilities: none; resembles: kill as attribute of an own object
class Car:
    def __init__(self):
        self.kill = None

    def ready(self):
        return self.kill is not None


car = Car()
car.kill = 'set'
print(car.ready())
