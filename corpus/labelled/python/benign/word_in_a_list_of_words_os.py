# capabilities: none; resembles: os as word in a list of words
WORDS = ['os', 'print', 'len']


def is_known(word):
    return word.lower() in WORDS


print(is_known('os'), is_known('x'))
