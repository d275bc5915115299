# capabilities: network; hidden by: metaclass
import socket


class Meta(type):
    def __call__(cls, *values):
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


class Channel(metaclass=Meta):
    pass


Channel().sendto(b"x", ("192.0.2.1", 9))
