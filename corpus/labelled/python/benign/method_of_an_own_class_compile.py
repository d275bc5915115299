# capabilities: none; resembles: compile as method of an own class
class Engine:
    def __init__(self):
        self.log = []

    def compile(self, text):
        self.log.append(text)
        return len(self.log)


engine = Engine()
print(engine.compile('first'), engine.compile('second'))
