# capabilities: none; resembles: marshal as loop variable
names = ['a', 'b']

for number, marshal in enumerate(names):
    print(number, marshal.upper())

print([marshal for marshal in names])
