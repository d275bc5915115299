# capabilities: none; resembles: globals
class Space:
    def __init__(self):
        self.names = {}

    def globals(self):
        return self.names

    def locals(self):
        return dict(self.names)


space = Space()
space.globals()["x"] = 1
print(space.locals())
