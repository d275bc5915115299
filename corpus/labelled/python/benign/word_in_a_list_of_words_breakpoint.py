# capabilities: none; resembles: breakpoint as word in a list of words
WORDS = ['breakpoint', 'print', 'len']


def is_known(word):
    return word.lower() in WORDS


print(is_known('breakpoint'), is_known('x'))
