# capabilities: none; resembles: eval
import ast


def read(text):
    return ast.literal_eval(text)


print(read("[1, 2, {'a': 3}]"))
