# capabilities: native-code; hidden by: getattr with an f-string
import ctypes as kit

head, tail = 'C', 'DLL'


def pick():
    return getattr(kit, f'{head}{tail}')


print(pick()('libnonexistent.so'))
