# capabilities: none; resembles: execute as own lambda
execute = lambda left, right: left * 10 + right

value = 0
for digit in (1, 2, 3):
    value = execute(value, digit)
print(value)
