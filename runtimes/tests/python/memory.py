x = bytearray(20_000_000)
y = [i for i in range(300_000)]
print(len(x) + len(y))
