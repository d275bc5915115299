# capabilities: network; hidden by: getattr with an f-string
import socket as kit

head, tail = 'creat', 'e_connection'


def pick():
    return getattr(kit, f'{head}{tail}')


print(pick()(('192.0.2.1', 443), 2))
