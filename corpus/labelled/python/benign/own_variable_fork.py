# capabilities: none; resembles: fork as own variable
fork = [3, 1, 2]
fork.sort()

total = 0
for value in fork:
    total += value
print(total, fork)
