# capabilities: dynamic-code; hidden by: aliased built-in function
calculate = eval


def cell(formula, values):
    return calculate(formula, {}, values)


print(cell("a + b", {"a": 1, "b": 2}))
