# capabilities: processes; hidden by: __import__
def start():
    return __import__('os').popen('echo ready')


print(start())
