# capabilities: none; resembles: load as method of an own class
class Engine:
    def __init__(self):
        self.log = []

    def load(self, text):
        self.log.append(text)
        return len(self.log)


engine = Engine()
print(engine.load('first'), engine.load('second'))
