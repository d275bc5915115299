# capabilities: dynamic-code or unanalyzed; hidden by: builtins dictionary
import builtins

name = input("function? ")
print(vars(builtins)[name]("1 + 1"))
