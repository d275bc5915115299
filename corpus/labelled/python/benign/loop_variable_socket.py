# capabilities: none; resembles: socket as loop variable
names = ['a', 'b']

for number, socket in enumerate(names):
    print(number, socket.upper())

print([socket for socket in names])
