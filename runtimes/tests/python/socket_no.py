import socket
try:
    socket.create_connection(('127.0.0.1', 9), 0.2)
except OSError as e:
    print('no connection')
