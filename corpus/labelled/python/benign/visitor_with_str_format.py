# capabilities: none; resembles: getattr with a computed name
class Importer:
    def load_text(self, raw):
        return raw.strip()

    def load(self, kind, raw):
        return getattr(self, "load_{}".format(kind))(raw)


print(Importer().load("text", " a "))
