# capabilities: none; resembles: fork as method of an own class
class Engine:
    def __init__(self):
        self.log = []

    def fork(self, text):
        self.log.append(text)
        return len(self.log)


engine = Engine()
print(engine.fork('first'), engine.fork('second'))
