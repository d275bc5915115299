# capabilities: none; resembles: inspect as parameter
def scale(inspect, factor=2):
    return [inspect * factor, inspect + factor]


print(scale(4), scale(inspect=5))
