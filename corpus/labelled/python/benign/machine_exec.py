# capabilities: none; resembles: exec
class Machine:
    def __init__(self):
        self.stack = []

    def exec(self, program):
        for word in program.split():
            if word == "add":
                self.stack.append(self.stack.pop() + self.stack.pop())
            else:
                self.stack.append(int(word))
        return self.stack[-1]


print(Machine().exec("1 2 add"))
