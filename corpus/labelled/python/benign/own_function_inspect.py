# capabilities: none; resembles: inspect as own function
def inspect(text):
    words = text.split()
    return sum(len(word) for word in words)


for line in ['one two', 'three']:
    print(inspect(line))
