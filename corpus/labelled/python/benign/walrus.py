# capabilities: none; resembles: walrus
lines = iter(["system", "exec", ""])
while (line := next(lines)):
    print(line, len(line))
