# capabilities: none; resembles: mount as own function
def mount(text):
    words = text.split()
    return sum(len(word) for word in words)


for line in ['one two', 'three']:
    print(mount(line))
