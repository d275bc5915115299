# capabilities: none; resembles: compile as own lambda
compile = lambda left, right: left * 10 + right

value = 0
for digit in (1, 2, 3):
    value = compile(value, digit)
print(value)
