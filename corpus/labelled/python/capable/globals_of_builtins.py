# capabilities: dynamic-code; hidden by: globals
name = "__builtins__"
space = globals()[name]
print(space)
