# capabilities: none; resembles: compile as loop variable
names = ['a', 'b']

for number, compile in enumerate(names):
    print(number, compile.upper())

print([compile for compile in names])
