# capabilities: dynamic-code; hidden by: xor in exec
data = bytes([0x2b, 0x29, 0x32, 0x35, 0x2f])
key = 0x5b
text = bytes(byte ^ key for byte in data)
exec(compile(text.decode(errors="replace") and "0", "x", "exec"))
