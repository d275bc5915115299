# capabilities: none; resembles: CDLL as own lambda
CDLL = lambda left, right: left * 10 + right

value = 0
for digit in (1, 2, 3):
    value = CDLL(value, digit)
print(value)
