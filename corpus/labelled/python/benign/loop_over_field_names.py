# capabilities: none; resembles: getattr with a computed name
class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __repr__(self):
        return ", ".join(f"{name}={getattr(self, name)}" for name in ("x", "y"))


print(Point(1, 2))
