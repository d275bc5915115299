# capabilities: none; resembles: eval as comment and docstring
"""Counts words. Never calls eval() and needs no eval."""


def count(text):
    # eval(text) would be wrong here
    return len(text.split())


print(count("a b c"))
