# capabilities: none; resembles: subprocess as getattr of an own method
class Machine:
    def subprocess(self):
        return 'ran subprocess'


machine = Machine()
print(getattr(machine, 'subprocess')())
