# capabilities: none; resembles: requests as word in a list of words
WORDS = ['requests', 'print', 'len']


def is_known(word):
    return word.lower() in WORDS


print(is_known('requests'), is_known('x'))
