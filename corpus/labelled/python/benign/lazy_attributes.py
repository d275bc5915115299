# capabilities: none; resembles: __getattr__
class Lazy:
    def __init__(self, values):
        self.values = values

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self.values.get(name)


print(Lazy({"a": 1}).a)
