# capabilities: none; resembles: chroot as method of an own class
class Engine:
    def __init__(self):
        self.log = []

    def chroot(self, text):
        self.log.append(text)
        return len(self.log)


engine = Engine()
print(engine.chroot('first'), engine.chroot('second'))
