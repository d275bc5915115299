# capabilities: none; resembles: text in exec
import ast

tree = ast.parse("import os\nos.system('x')")
names = [type(node).__name__ for node in ast.walk(tree)]
print(len(names))
