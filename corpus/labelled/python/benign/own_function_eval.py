# capabilities: none; resembles: eval as own function
def eval(text):
    words = text.split()
    return sum(len(word) for word in words)


for line in ['one two', 'three']:
    print(eval(line))
