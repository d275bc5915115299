# capabilities: dynamic-code; hidden by: text built in parts
fields = ["red", "green", "blue"]
source = "def make(%s):\n    return (%s)\n" % (", ".join(fields), ", ".join(fields))
space = {}
exec(source, space)
print(space["make"](1, 2, 3))
