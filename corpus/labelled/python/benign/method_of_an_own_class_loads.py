# capabilities: none; resembles: loads as method of an own class
class Engine:
    def __init__(self):
        self.log = []

    def loads(self, text):
        self.log.append(text)
        return len(self.log)


engine = Engine()
print(engine.loads('first'), engine.loads('second'))
