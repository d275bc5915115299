# capabilities: none; resembles: ctypes as loop variable
names = ['a', 'b']

for number, ctypes in enumerate(names):
    print(number, ctypes.upper())

print([ctypes for ctypes in names])
