# capabilities: none; resembles: ctypes as comment and docstring
"""Counts words. Never calls ctypes() and needs no ctypes."""


def count(text):
    # ctypes(text) would be wrong here
    return len(text.split())


print(count("a b c"))
