# capabilities: dynamic-code, network; hidden by: look-alike letters
module = ｅxec("import socket")
print(module)
