# capabilities: none; resembles: code as own function
def code(text):
    words = text.split()
    return sum(len(word) for word in words)


for line in ['one two', 'three']:
    print(code(line))
