# capabilities: none; resembles: load as own variable
load = [3, 1, 2]
load.sort()

total = 0
for value in load:
    total += value
print(total, load)
