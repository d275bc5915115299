# capabilities: none; resembles: eval as loop variable
names = ['a', 'b']

for number, eval in enumerate(names):
    print(number, eval.upper())

print([eval for eval in names])
