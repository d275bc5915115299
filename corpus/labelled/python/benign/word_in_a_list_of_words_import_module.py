# capabilities: none; resembles: import_module as word in a list of words
WORDS = ['import_module', 'print', 'len']


def is_known(word):
    return word.lower() in WORDS


print(is_known('import_module'), is_known('x'))
