# capabilities: none; resembles: breakpoint as own function
def breakpoint(text):
    words = text.split()
    return sum(len(word) for word in words)


for line in ['one two', 'three']:
    print(breakpoint(line))
