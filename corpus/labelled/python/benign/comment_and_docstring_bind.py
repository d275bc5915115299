# capabilities: none; resembles: bind as comment and docstring
"""Counts words. Never calls bind() and needs no bind."""


def count(text):
    # bind(text) would be wrong here
    return len(text.split())


print(count("a b c"))
