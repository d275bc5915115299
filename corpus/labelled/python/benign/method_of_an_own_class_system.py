# capabilities: none; resembles: system as method of an own class
class Engine:
    def __init__(self):
        self.log = []

    def system(self, text):
        self.log.append(text)
        return len(self.log)


engine = Engine()
print(engine.system('first'), engine.system('second'))
