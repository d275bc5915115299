# capabilities: none; resembles: mount as word in a list of words
WORDS = ['mount', 'print', 'len']


def is_known(word):
    return word.lower() in WORDS


print(is_known('mount'), is_known('x'))
