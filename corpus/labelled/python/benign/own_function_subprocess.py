# capabilities: none; resembles: subprocess as own function
def subprocess(text):
    words = text.split()
    return sum(len(word) for word in words)


for line in ['one two', 'three']:
    print(subprocess(line))
