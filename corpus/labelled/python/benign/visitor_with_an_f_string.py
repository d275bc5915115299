# capabilities: none; resembles: getattr with a computed name
class Shell:
    def do_add(self, rest):
        return sum(map(int, rest))

    def handle(self, line):
        command, *rest = line.split()
        return getattr(self, f"do_{command}")(rest)


print(Shell().handle("add 1 2"))
