# capabilities: none; resembles: system as comment and docstring
"""Counts words. Never calls system() and needs no system."""


def count(text):
    # system(text) would be wrong here
    return len(text.split())


print(count("a b c"))
