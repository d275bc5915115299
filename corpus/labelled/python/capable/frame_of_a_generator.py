# capabilities: introspection; hidden by: generator frame
def numbers():
    yield 1


stream = numbers()
frame = stream.gi_frame
while frame is not None:
    print(frame.f_lineno)
    frame = frame.f_back
