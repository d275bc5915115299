# capabilities: none; resembles: socket
class Plug:
    def connect(self, device):
        self.device = device

    def send(self, watts):
        return watts * 2


socket = Plug()
socket.connect("lamp")
print(socket.send(5))
