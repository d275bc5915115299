# capabilities: none; resembles: compile as parameter
def scale(compile, factor=2):
    return [compile * factor, compile + factor]


print(scale(4), scale(compile=5))
