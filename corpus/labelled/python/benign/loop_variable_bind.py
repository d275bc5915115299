# capabilities: none; resembles: bind as loop variable
names = ['a', 'b']

for number, bind in enumerate(names):
    print(number, bind.upper())

print([bind for bind in names])
