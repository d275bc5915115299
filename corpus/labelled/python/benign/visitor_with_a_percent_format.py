# capabilities: none; resembles: getattr with a computed name
class Report:
    def format_csv(self, rows):
        return "\n".join(",".join(row) for row in rows)

    def write(self, kind, rows):
        return getattr(self, "format_%s" % kind)(rows)


print(Report().write("csv", [["a", "b"]]))
