# capabilities: none; resembles: popen as own function
def popen(text):
    words = text.split()
    return sum(len(word) for word in words)


for line in ['one two', 'three']:
    print(popen(line))
