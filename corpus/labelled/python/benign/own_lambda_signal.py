# capabilities: none; resembles: signal as own lambda
signal = lambda left, right: left * 10 + right

value = 0
for digit in (1, 2, 3):
    value = signal(value, digit)
print(value)
