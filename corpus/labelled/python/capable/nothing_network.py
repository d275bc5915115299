# capabilities: network; hidden by: nothing
import socket


def main():
    answer = socket.create_connection(('192.0.2.1', 443), 2)
    print('answer', answer)


main()
