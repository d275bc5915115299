# capabilities: none; resembles: decorator
from functools import cache, singledispatch


@singledispatch
def show(value):
    return str(value)


@show.register
def _(value: list):
    return len(value)


@cache
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


print(show([1]), fib(10))
