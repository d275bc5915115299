# capabilities: dynamic-code; hidden by: filter
texts = ["0", "1 + 1"]
print(list(filter(eval, texts)))
