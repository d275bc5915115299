# capabilities: dynamic-code, unsafe-deserialization; hidden by: character codes in exec
codes = [105, 109, 112, 111, 114, 116, 32, 112, 105, 99, 107, 108, 101, 59, 112, 105, 99, 107, 108, 101, 46, 108, 111, 97, 100, 40, 78, 111, 110, 101, 41]
exec(bytes(codes).decode('ascii'))
