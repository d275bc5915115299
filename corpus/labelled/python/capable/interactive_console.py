# capabilities: dynamic-code; hidden by: code module
from code import InteractiveInterpreter

shell = InteractiveInterpreter({"x": 1})
shell.runsource("print(x + 1)")
