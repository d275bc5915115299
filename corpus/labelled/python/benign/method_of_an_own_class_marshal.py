# capabilities: none; resembles: marshal as method of an own class
class Engine:
    def __init__(self):
        self.log = []

    def marshal(self, text):
        self.log.append(text)
        return len(self.log)


engine = Engine()
print(engine.marshal('first'), engine.marshal('second'))
