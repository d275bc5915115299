# capabilities: none; resembles: chroot as own variable
chroot = [3, 1, 2]
chroot.sort()

total = 0
for value in chroot:
    total += value
print(total, chroot)
