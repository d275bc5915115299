# capabilities: dynamic-code; hidden by: attribute of a module
import builtins as b

actions = [b.print, b.exec]
for action in actions:
    action("0")
