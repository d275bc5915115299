# capabilities: none; resembles: eval
def eval(node):
    if isinstance(node, tuple):
        operator, left, right = node
        if operator == "add":
            return eval(left) + eval(right)
        return eval(left) * eval(right)
    return node


print(eval(("add", 1, ("mul", 2, 3))))
