# capabilities: introspection; hidden by: table of functions
import inspect as kit

TABLE = {'sum': sum, 'other': kit.stack}


def handle(command):
    return TABLE[command]()


print(handle('other'))
