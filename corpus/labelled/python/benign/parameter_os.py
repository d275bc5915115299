# capabilities: none; resembles: os as parameter
def scale(os, factor=2):
    return [os * factor, os + factor]


print(scale(4), scale(os=5))
