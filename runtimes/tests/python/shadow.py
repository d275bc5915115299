import statistics
print(statistics.mine)
