# capabilities: dynamic-code; hidden by: aliased import
import builtins as helpers

text = "+".join(str(number) for number in range(5))
print(helpers.eval(text))
