# capabilities: none; resembles: mount as attribute of an own object
class Car:
    def __init__(self):
        self.mount = None

    def ready(self):
        return self.mount is not None


car = Car()
car.mount = 'set'
print(car.ready())
