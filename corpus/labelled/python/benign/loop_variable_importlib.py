# capabilities: none; resembles: importlib as loop variable
names = ['a', 'b']

for number, importlib in enumerate(names):
    print(number, importlib.upper())

print([importlib for importlib in names])
