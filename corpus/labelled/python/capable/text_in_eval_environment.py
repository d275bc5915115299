# capabilities: dynamic-code, environment; hidden by: text in eval
value = eval("__import__('os').putenv('LEVEL', '3')")
print(value)
