# capabilities: none; resembles: eval
class Model:
    def __init__(self):
        self.training = True

    def eval(self):
        self.training = False
        return self


print(Model().eval().training)
