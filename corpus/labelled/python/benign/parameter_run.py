# capabilities: none; resembles: run as parameter
def scale(run, factor=2):
    return [run * factor, run + factor]


print(scale(4), scale(run=5))
