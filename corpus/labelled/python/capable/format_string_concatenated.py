# capabilities: introspection; hidden by: format-string attribute access
class Point:
    x = 1


pattern = "{p.__cl" + "ass__.__mro__}"
print(str.format(pattern, p=Point()))
