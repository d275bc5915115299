# capabilities: none; resembles: connect as own lambda
connect = lambda left, right: left * 10 + right

value = 0
for digit in (1, 2, 3):
    value = connect(value, digit)
print(value)
