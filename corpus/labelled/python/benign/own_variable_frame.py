# capabilities: none; resembles: frame as own variable
frame = [3, 1, 2]
frame.sort()

total = 0
for value in frame:
    total += value
print(total, frame)
