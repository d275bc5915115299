# capabilities: none; resembles: subclass walk
class Number:
    base = 10

    def subclasses(self):
        return [Number]

    def mro_list(self):
        return [type(self)]


print(Number().subclasses()[0].base)
