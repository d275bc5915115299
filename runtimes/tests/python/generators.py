def fib():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b


import itertools, functools
print(list(itertools.islice(fib(), 20)))


@functools.lru_cache
def f(n):
    return n if n < 2 else f(n - 1) + f(n - 2)


print(f(80), f.cache_info())
