LIMIT = 10**7
sieve = bytearray(b"\x01") * (LIMIT + 1)
for i in range(2, int(LIMIT**0.5) + 1):
    if sieve[i]:
        sieve[i * i :: i] = bytes(len(range(i * i, LIMIT + 1, i)))
print(sum(sieve) - 2)
