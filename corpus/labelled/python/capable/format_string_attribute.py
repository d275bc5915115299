# capabilities: introspection; hidden by: format-string attribute access
class User:
    def __init__(self, name):
        self.name = name


template = "{0.__init__.__globals__}"
print(template.format(User("ada")))
