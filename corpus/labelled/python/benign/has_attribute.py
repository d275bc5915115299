# capabilities: none; resembles: hasattr
def size(value):
    if hasattr(value, "__len__"):
        return len(value)
    return 1


print(size([1, 2]), size(3))
