# capabilities: none; resembles: popen as own lambda
popen = lambda left, right: left * 10 + right

value = 0
for digit in (1, 2, 3):
    value = popen(value, digit)
print(value)
