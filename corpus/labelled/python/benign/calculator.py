# capabilities: none; resembles: eval
OPERATORS = {"+": lambda a, b: a + b, "*": lambda a, b: a * b}


def evaluate(tokens):
    stack = []
    for token in tokens:
        if token in OPERATORS:
            right, left = stack.pop(), stack.pop()
            stack.append(OPERATORS[token](left, right))
        else:
            stack.append(int(token))
    return stack[0]


print(evaluate("2 3 4 * +".split()))
