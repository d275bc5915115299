# capabilities: none; resembles: popen as getattr of an own method
class Machine:
    def popen(self):
        return 'ran popen'


machine = Machine()
print(getattr(machine, 'popen')())
