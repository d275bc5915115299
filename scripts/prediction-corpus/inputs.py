"""Inputs for programs that have a size. What a program calls is put behind its own text."""

import random


def numbers(n):
    source = random.Random(n)
    return [source.randrange(10 * n) for _ in range(n)]


def shuffled(n):
    values = list(range(n))
    random.Random(n).shuffle(values)
    return values


def ordered(n):
    return list(range(n))


def small_numbers(n):
    source = random.Random(n)
    return [source.randrange(1, 100) for _ in range(n)]


def signed_numbers(n):
    source = random.Random(n)
    return [source.randrange(-100, 100) for _ in range(n)]


def reals(n):
    source = random.Random(n)
    return [source.random() for _ in range(n)]


def matrix(n):
    source = random.Random(n)
    return [[source.randrange(1, 10) for _ in range(n)] for _ in range(n)]


def definite(n):
    return [[n + 1.0 if i == j else 1.0 for j in range(n)] for i in range(n)]


def letters(n):
    source = random.Random(n)
    return "".join(source.choice("abcd") for _ in range(n))


def other_letters(n):
    return letters(n + 1)[:n]


def words(n):
    source = random.Random(n)
    return ["".join(source.choices("abcdefghij", k=6)) for _ in range(n)]


def intervals(n):
    source = random.Random(n)
    starts = (source.randrange(10 * n) for _ in range(n))
    return [[start, start + source.randrange(1, 20)] for start in starts]


def brackets(n):
    return "(" * (n // 2) + ")" * (n // 2)
