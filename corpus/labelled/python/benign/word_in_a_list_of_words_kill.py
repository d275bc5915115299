# capabilities: none; resembles: kill as word in a list of words
WORDS = ['kill', 'print', 'len']


def is_known(word):
    return word.lower() in WORDS


print(is_known('kill'), is_known('x'))
