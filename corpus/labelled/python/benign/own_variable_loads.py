# capabilities: none; resembles: loads as own variable
loads = [3, 1, 2]
loads.sort()

total = 0
for value in loads:
    total += value
print(total, loads)
