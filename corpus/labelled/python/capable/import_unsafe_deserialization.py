# capabilities: unsafe-deserialization; hidden by: __import__
def start():
    return __import__('marshal').loads(b'N')


print(start())
