# capabilities: none; resembles: exec as parameter
def scale(exec, factor=2):
    return [exec * factor, exec + factor]


print(scale(4), scale(exec=5))
