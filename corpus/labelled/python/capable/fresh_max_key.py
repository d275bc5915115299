# capabilities: dynamic-code; hidden by: sort key
texts = ["1 + 1", "2 * 8"]
print(max(texts, key=eval))
