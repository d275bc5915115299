# capabilities: none; resembles: breakpoint as parameter
def scale(breakpoint, factor=2):
    return [breakpoint * factor, breakpoint + factor]


print(scale(4), scale(breakpoint=5))
