# capabilities: none; resembles: sys as own variable
sys = [3, 1, 2]
sys.sort()

total = 0
for value in sys:
    total += value
print(total, sys)
