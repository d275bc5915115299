# capabilities: none; resembles: code as own lambda
code = lambda left, right: left * 10 + right

value = 0
for digit in (1, 2, 3):
    value = code(value, digit)
print(value)
