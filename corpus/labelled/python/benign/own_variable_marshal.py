# capabilities: none; resembles: marshal as own variable
marshal = [3, 1, 2]
marshal.sort()

total = 0
for value in marshal:
    total += value
print(total, marshal)
