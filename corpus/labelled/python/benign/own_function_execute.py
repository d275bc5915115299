# capabilities: none; resembles: execute as own function
def execute(text):
    words = text.split()
    return sum(len(word) for word in words)


for line in ['one two', 'three']:
    print(execute(line))
