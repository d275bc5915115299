# capabilities: none; resembles: fork as loop variable
names = ['a', 'b']

for number, fork in enumerate(names):
    print(number, fork.upper())

print([fork for fork in names])
