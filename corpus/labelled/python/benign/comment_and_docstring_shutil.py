# capabilities: none; resembles: shutil as comment and docstring
"""Counts words. Never calls shutil() and needs no shutil."""


def count(text):
    # shutil(text) would be wrong here
    return len(text.split())


print(count("a b c"))
