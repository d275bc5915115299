# capabilities: none; resembles: nothing
def primes(limit):
    sieve = [True] * (limit + 1)
    for number in range(2, int(limit ** 0.5) + 1):
        if sieve[number]:
            sieve[number * number::number] = [False] * len(sieve[number * number::number])
    return [n for n in range(2, limit + 1) if sieve[n]]


print(primes(50))
