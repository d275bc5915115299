# capabilities: none; resembles: generator frame
def average():
    total = count = 0
    value = None
    while True:
        value = yield value
        total += value
        count += 1
        value = total / count


stream = average()
next(stream)
print(stream.send(10), stream.send(20))
