# capabilities: introspection; resembles: __reduce__
import copy


class Pair:
    def __init__(self, left):
        self.left = left

    def __reduce__(self):
        return (Pair, (self.left,))


print(copy.copy(Pair(3)).left)
