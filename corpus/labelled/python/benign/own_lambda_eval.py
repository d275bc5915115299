# capabilities: none; resembles: eval as own lambda
eval = lambda left, right: left * 10 + right

value = 0
for digit in (1, 2, 3):
    value = eval(value, digit)
print(value)
