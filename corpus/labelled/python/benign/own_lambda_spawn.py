# capabilities: none; resembles: spawn as own lambda
spawn = lambda left, right: left * 10 + right

value = 0
for digit in (1, 2, 3):
    value = spawn(value, digit)
print(value)
