# capabilities: none; resembles: timeit
speeds = {"timeit": 3, "sleep": 4}
slowest = max(speeds, key=speeds.get)
print(slowest)
