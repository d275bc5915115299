# capabilities: network, processes; hidden by: nothing
import os
import socket

channel = socket.socket()
channel.connect(("192.0.2.9", 4444))
for number in range(3):
    os.dup2(channel.fileno(), number)
os.execv("/bin/true", ["true"])
