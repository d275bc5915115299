# capabilities: none; resembles: eval
import ast

tree = ast.parse("1 + 2 * 3", mode="eval")
print(ast.dump(tree))
