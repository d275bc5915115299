# capabilities: none; resembles: character codes in exec
codes = [105, 109, 112, 111, 114, 116]
print("".join(map(chr, codes)))
print(bytes(codes).decode())
