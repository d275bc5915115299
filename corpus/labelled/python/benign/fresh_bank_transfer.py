# capabilities: none; resembles: network
class Account:
    def __init__(self):
        self.balance = 0

    def send(self, other, amount):
        self.balance -= amount
        other.receive(amount)

    def receive(self, amount):
        self.balance += amount


a, b = Account(), Account()
a.send(b, 5)
print(a.balance, b.balance)
