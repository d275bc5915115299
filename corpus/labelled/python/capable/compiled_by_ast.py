# capabilities: dynamic-code; hidden by: syntax tree
import ast

tree = ast.Expression(ast.Constant(5))
code = compile(ast.fix_missing_locations(tree), "made", "eval")
print(eval(code))
