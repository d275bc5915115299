# capabilities: none; resembles: execute as getattr of an own method
class Machine:
    def execute(self):
        return 'ran execute'


machine = Machine()
print(getattr(machine, 'execute')())
