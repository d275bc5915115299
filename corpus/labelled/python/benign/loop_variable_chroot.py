# capabilities: none; resembles: chroot as loop variable
names = ['a', 'b']

for number, chroot in enumerate(names):
    print(number, chroot.upper())

print([chroot for chroot in names])
