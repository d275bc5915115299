# capabilities: none; resembles: compile
def compile(rules):
    table = {}
    for rule in rules:
        left, right = rule.split("->")
        table.setdefault(left.strip(), []).append(right.strip())
    return table


print(compile(["a -> b", "a -> c"]))
