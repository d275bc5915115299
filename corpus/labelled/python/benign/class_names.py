# capabilities: none; resembles: introspection
class Base:
    def name(self):
        return self.__class__.__name__


class Child(Base):
    pass


print(Child().name(), type(Child()).__name__)
