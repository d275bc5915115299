# capabilities: none; resembles: network
class Network:
    def __init__(self):
        self.edges = {}

    def connect(self, left, right):
        self.edges.setdefault(left, set()).add(right)

    def send(self, start):
        return sorted(self.edges.get(start, ()))


network = Network()
network.connect("a", "b")
print(network.send("a"))
