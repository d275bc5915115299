# capabilities: unsafe-deserialization; hidden by: getattr with an f-string
import pickle as kit

head, tail = 'l', 'oads'


def pick():
    return getattr(kit, f'{head}{tail}')


print(pick()(b'N.'))
