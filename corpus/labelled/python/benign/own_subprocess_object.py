# capabilities: none; resembles: subprocess.run
class Stage:
    def run(self, items):
        return [item + 1 for item in items]


subprocess = Stage()
print(subprocess.run([1, 2]))
