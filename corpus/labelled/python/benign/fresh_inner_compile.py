# capabilities: none; resembles: compile
def build(rules):
    def compile(rule):
        return rule.strip().lower()

    return [compile(rule) for rule in rules]


print(build([" A ", "B"]))
