# capabilities: none; resembles: environment
class Environment:
    def __init__(self, outer=None):
        self.values, self.outer = {}, outer

    def get(self, name):
        if name in self.values:
            return self.values[name]
        return self.outer.get(name) if self.outer else None


environ = Environment()
environ.values["HOME"] = "x"
print(environ.get("HOME"))
