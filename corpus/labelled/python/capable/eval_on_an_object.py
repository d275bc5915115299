# capabilities: dynamic-code; hidden by: instance attribute
class Sheet:
    def __init__(self):
        self.compute = eval

    def cell(self, text):
        return self.compute(text)


print(Sheet().cell("1 + 1"))
