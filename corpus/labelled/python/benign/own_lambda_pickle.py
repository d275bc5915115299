# capabilities: none; resembles: pickle as own lambda
pickle = lambda left, right: left * 10 + right

value = 0
for digit in (1, 2, 3):
    value = pickle(value, digit)
print(value)
