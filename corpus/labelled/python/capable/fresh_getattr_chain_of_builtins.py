# capabilities: dynamic-code; hidden by: builtins dictionary
import builtins

print(builtins.__dict__.get("ev" + "al")("1"))
