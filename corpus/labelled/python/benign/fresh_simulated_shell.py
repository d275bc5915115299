# capabilities: none; resembles: subprocess
class Popen:
    def __init__(self, words):
        self.words = words

    def communicate(self):
        return " ".join(self.words), ""


print(Popen(["echo", "x"]).communicate())
