# capabilities: dynamic-code, unsafe-deserialization; hidden by: text in eval
value = eval("__import__('pickle').loads(b'N.')")
print(value)
