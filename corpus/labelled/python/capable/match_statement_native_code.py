# capabilities: native-code; hidden by: match statement
def handle(command):
    match command.split():
        case ['go']:
            import ctypes as kit
            return kit.PyDLL('libnonexistent.so')
        case _:
            return None


print(handle('go'))
