# capabilities: none; resembles: import_module as own function
def import_module(text):
    words = text.split()
    return sum(len(word) for word in words)


for line in ['one two', 'three']:
    print(import_module(line))
