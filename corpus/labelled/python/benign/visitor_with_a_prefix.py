# capabilities: none; resembles: getattr with a computed name
class Visitor:
    def visit(self, kind, value):
        method = getattr(self, "visit_" + kind, self.visit_other)
        return method(value)

    def visit_number(self, value):
        return value + 1

    def visit_other(self, value):
        return value


print(Visitor().visit("number", 4))
