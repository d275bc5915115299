# capabilities: none; resembles: exec as own function
def exec(text):
    words = text.split()
    return sum(len(word) for word in words)


for line in ['one two', 'three']:
    print(exec(line))
