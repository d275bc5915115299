# capabilities: environment; hidden by: getattr with an f-string
import os as kit

head, tail = 'pu', 'tenv'


def pick():
    return getattr(kit, f'{head}{tail}')


print(pick()('LEVEL', '3'))
