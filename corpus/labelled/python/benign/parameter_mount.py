# capabilities: none; resembles: mount as parameter
def scale(mount, factor=2):
    return [mount * factor, mount + factor]


print(scale(4), scale(mount=5))
