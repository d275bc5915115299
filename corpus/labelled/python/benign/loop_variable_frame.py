# capabilities: none; resembles: frame as loop variable
names = ['a', 'b']

for number, frame in enumerate(names):
    print(number, frame.upper())

print([frame for frame in names])
