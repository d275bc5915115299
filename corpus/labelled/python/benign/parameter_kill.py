# capabilities: none; resembles: kill as parameter
def scale(kill, factor=2):
    return [kill * factor, kill + factor]


print(scale(4), scale(kill=5))
