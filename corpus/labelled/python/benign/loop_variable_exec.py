# capabilities: none; resembles: exec as loop variable
names = ['a', 'b']

for number, exec in enumerate(names):
    print(number, exec.upper())

print([exec for exec in names])
