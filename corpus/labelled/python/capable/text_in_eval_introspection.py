# capabilities: dynamic-code, introspection; hidden by: text in eval
value = eval("__import__('sys')._getframe()")
print(value)
