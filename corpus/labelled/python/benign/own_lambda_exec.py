# capabilities: none; resembles: exec as own lambda
exec = lambda left, right: left * 10 + right

value = 0
for digit in (1, 2, 3):
    value = exec(value, digit)
print(value)
