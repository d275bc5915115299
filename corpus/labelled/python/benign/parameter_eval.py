# capabilities: none; resembles: eval as parameter
def scale(eval, factor=2):
    return [eval * factor, eval + factor]


print(scale(4), scale(eval=5))
