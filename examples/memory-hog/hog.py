"""Takes memory and touches every page of it, until somebody says no."""

hoard = []
while True:
    block = bytearray(8 * 1024 * 1024)
    for offset in range(0, len(block), 4096):
        block[offset] = 1
    hoard.append(block)
