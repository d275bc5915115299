# capabilities: dynamic-code; hidden by: class attribute
Tool = type("Tool", (), {"go": staticmethod(eval)})
print(Tool.go("1 + 1"))
