# capabilities: none; resembles: compile as own function
def compile(text):
    words = text.split()
    return sum(len(word) for word in words)


for line in ['one two', 'three']:
    print(compile(line))
