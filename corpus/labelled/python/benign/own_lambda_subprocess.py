# capabilities: none; resembles: subprocess as own lambda
subprocess = lambda left, right: left * 10 + right

value = 0
for digit in (1, 2, 3):
    value = subprocess(value, digit)
print(value)
