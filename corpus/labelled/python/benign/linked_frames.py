# capabilities: none; resembles: frames
class Node:
    def __init__(self, value, previous=None):
        self.value, self.previous = value, previous


def walk(frame):
    while frame is not None:
        yield frame.value
        frame = frame.previous


print(list(walk(Node(1, Node(2)))))
