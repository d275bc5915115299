# capabilities: none; resembles: exec
import ast


class Finder(ast.NodeVisitor):
    def __init__(self):
        self.found = []

    def visit_Call(self, node):
        if isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec"}:
            self.found.append(node.lineno)
        self.generic_visit(node)


finder = Finder()
finder.visit(ast.parse("eval('1')\nlen('x')"))
print(finder.found)
