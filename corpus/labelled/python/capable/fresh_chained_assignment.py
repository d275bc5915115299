# capabilities: network; hidden by: chained assignment
import socket

first = second = third = socket.create_connection
third(("192.0.2.1", 80), 1)
