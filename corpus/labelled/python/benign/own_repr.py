# capabilities: none; resembles: introspection
class Pair:
    __slots__ = ("left", "right")

    def __init__(self, left, right):
        self.left, self.right = left, right

    def __eq__(self, other):
        return (self.left, self.right) == (other.left, other.right)


print(Pair(1, 2) == Pair(1, 2))
