# capabilities: none; resembles: urlopen as comment and docstring
"""Counts words. Never calls urlopen() and needs no urlopen."""


def count(text):
    # urlopen(text) would be wrong here
    return len(text.split())


print(count("a b c"))
