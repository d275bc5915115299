# capabilities: dynamic-code; hidden by: builtins dictionary
space = __builtins__ if isinstance(__builtins__, dict) else vars(__builtins__)
print(space["eval"]("2 + 2"))
