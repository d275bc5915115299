# capabilities: none; resembles: decorator
def register(name):
    def wrap(function):
        HANDLERS[name] = function
        return function
    return wrap


HANDLERS = {}


@register("exec")
def handle(text):
    return text * 2


print(HANDLERS["exec"]("x"))
