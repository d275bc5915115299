# capabilities: none; resembles: __dict__
table = {"__class__": 1, "__globals__": 2, "__import__": 3}
print(sum(table.values()), table["__globals__"])
