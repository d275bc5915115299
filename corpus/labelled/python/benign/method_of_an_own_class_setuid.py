# capabilities: none; resembles: setuid as method of an own class
class Engine:
    def __init__(self):
        self.log = []

    def setuid(self, text):
        self.log.append(text)
        return len(self.log)


engine = Engine()
print(engine.setuid('first'), engine.setuid('second'))
