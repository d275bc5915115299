# capabilities: none; resembles: eval as method of an own class
class Engine:
    def __init__(self):
        self.log = []

    def eval(self, text):
        self.log.append(text)
        return len(self.log)


engine = Engine()
print(engine.eval('first'), engine.eval('second'))
