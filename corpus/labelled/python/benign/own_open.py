# capabilities: none; resembles: open
def open(brackets):
    return brackets.count("(") - brackets.count(")")


print(open("(()"))
