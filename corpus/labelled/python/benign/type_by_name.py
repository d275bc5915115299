# capabilities: none; resembles: type
Point = type("Point", (), {"x": 1, "area": lambda self: self.x})
print(Point().area())
