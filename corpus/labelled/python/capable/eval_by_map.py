# capabilities: dynamic-code; hidden by: map
lines = ["1 + 2", "3 * 4", "10 // 3"]
print(list(map(eval, lines)))
