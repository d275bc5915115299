# capabilities: dynamic-code; hidden by: getattr with a joined name
import builtins

run = getattr(builtins, "ev" + "al")
print(run("2 ** 10"))
