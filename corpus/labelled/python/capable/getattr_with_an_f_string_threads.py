# capabilities: threads; hidden by: getattr with an f-string
import _thread as kit

head, tail = 'start', '_new_thread'


def pick():
    return getattr(kit, f'{head}{tail}')


print(pick()(print, ()))
