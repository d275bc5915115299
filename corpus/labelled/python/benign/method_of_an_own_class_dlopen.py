# capabilities: none; resembles: dlopen as method of an own class
class Engine:
    def __init__(self):
        self.log = []

    def dlopen(self, text):
        self.log.append(text)
        return len(self.log)


engine = Engine()
print(engine.dlopen('first'), engine.dlopen('second'))
