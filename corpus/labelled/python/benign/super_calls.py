# capabilities: none; resembles: introspection
class Base:
    def __init__(self, size):
        self.size = size


class Child(Base):
    def __init__(self, size):
        super().__init__(size)
        self.__name = "child"


print(Child(3).size)
