# capabilities: introspection; resembles: setattr with a computed name
class Settings:
    def __init__(self, **values):
        for name, value in values.items():
            setattr(self, name, value)


print(Settings(level=3).level)
