# capabilities: none; resembles: urlopen as loop variable
names = ['a', 'b']

for number, urlopen in enumerate(names):
    print(number, urlopen.upper())

print([urlopen for urlopen in names])
