# capabilities: native-code; hidden by: __import__
def start():
    return __import__('ctypes').PyDLL('libnonexistent.so')


print(start())
