# capabilities: introspection; hidden by: format-string attribute access
secret = "kept"


def describe():
    return None


print("{function.__globals__[secret]}".format_map({"function": describe}))
