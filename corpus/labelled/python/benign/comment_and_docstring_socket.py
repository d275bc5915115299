# capabilities: none; resembles: socket as comment and docstring
"""Counts words. Never calls socket() and needs no socket."""


def count(text):
    # socket(text) would be wrong here
    return len(text.split())


print(count("a b c"))
