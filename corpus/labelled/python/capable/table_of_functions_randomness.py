# capabilities: randomness; hidden by: table of functions
import secrets as kit

TABLE = {'sum': sum, 'other': kit.token_hex}


def handle(command):
    return TABLE[command](4)


print(handle('other'))
