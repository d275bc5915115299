# capabilities: none; resembles: sys as method of an own class
class Engine:
    def __init__(self):
        self.log = []

    def sys(self, text):
        self.log.append(text)
        return len(self.log)


engine = Engine()
print(engine.sys('first'), engine.sys('second'))
