# capabilities: none; resembles: inspect as word in a list of words
WORDS = ['inspect', 'print', 'len']


def is_known(word):
    return word.lower() in WORDS


print(is_known('inspect'), is_known('x'))
