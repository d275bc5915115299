# capabilities: dynamic-code; hidden by: function default
def render(template, run=exec):
    for line in template:
        run(line)


render(["x = 1", "print(x)"])
