# capabilities: none; resembles: setuid as comment and docstring
"""Counts words. Never calls setuid() and needs no setuid."""


def count(text):
    # setuid(text) would be wrong here
    return len(text.split())


print(count("a b c"))
