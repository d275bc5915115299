# capabilities: none; resembles: run as word in a list of words
WORDS = ['run', 'print', 'len']


def is_known(word):
    return word.lower() in WORDS


print(is_known('run'), is_known('x'))
