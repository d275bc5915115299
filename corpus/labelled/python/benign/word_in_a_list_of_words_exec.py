# capabilities: none; resembles: exec as word in a list of words
WORDS = ['exec', 'print', 'len']


def is_known(word):
    return word.lower() in WORDS


print(is_known('exec'), is_known('x'))
