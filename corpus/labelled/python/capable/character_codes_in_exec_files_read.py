# capabilities: dynamic-code, files-read; hidden by: character codes in exec
codes = [105, 109, 112, 111, 114, 116, 32, 111, 115, 59, 111, 115, 46, 108, 105, 115, 116, 100, 105, 114, 40, 39, 47, 110, 111, 110, 101, 120, 105, 115, 116, 101, 110, 116, 39, 41]
exec(bytes(codes).decode('ascii'))
