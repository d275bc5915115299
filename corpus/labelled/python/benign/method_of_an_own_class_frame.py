# capabilities: none; resembles: frame as method of an own class
class Engine:
    def __init__(self):
        self.log = []

    def frame(self, text):
        self.log.append(text)
        return len(self.log)


engine = Engine()
print(engine.frame('first'), engine.frame('second'))
