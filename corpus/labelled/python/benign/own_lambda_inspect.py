# capabilities: none; resembles: inspect as own lambda
inspect = lambda left, right: left * 10 + right

value = 0
for digit in (1, 2, 3):
    value = inspect(value, digit)
print(value)
