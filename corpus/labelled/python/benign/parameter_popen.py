# capabilities: none; resembles: popen as parameter
def scale(popen, factor=2):
    return [popen * factor, popen + factor]


print(scale(4), scale(popen=5))
