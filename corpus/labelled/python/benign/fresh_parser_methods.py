# capabilities: none; resembles: eval
class Parser:
    def eval(self, text):
        return self.exec(text.split())

    def exec(self, words):
        return [word.upper() for word in words]


print(Parser().eval("a b"))
