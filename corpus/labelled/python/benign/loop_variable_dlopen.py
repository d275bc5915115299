# capabilities: none; resembles: dlopen as loop variable
names = ['a', 'b']

for number, dlopen in enumerate(names):
    print(number, dlopen.upper())

print([dlopen for dlopen in names])
