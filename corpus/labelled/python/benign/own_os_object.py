# capabilities: none; resembles: os.system
class Simulator:
    def system(self, command):
        return f"would do {command}"


os = Simulator()
print(os.system("rm everything"))
