# capabilities: none; resembles: shutil as loop variable
names = ['a', 'b']

for number, shutil in enumerate(names):
    print(number, shutil.upper())

print([shutil for shutil in names])
