# capabilities: none; resembles: importlib as comment and docstring
"""Counts words. Never calls importlib() and needs no importlib."""


def count(text):
    # importlib(text) would be wrong here
    return len(text.split())


print(count("a b c"))
