# capabilities: none; resembles: dlopen as own variable
dlopen = [3, 1, 2]
dlopen.sort()

total = 0
for value in dlopen:
    total += value
print(total, dlopen)
