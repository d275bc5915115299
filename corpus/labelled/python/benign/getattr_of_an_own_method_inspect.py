# capabilities: none; resembles: inspect as getattr of an own method
class Machine:
    def inspect(self):
        return 'ran inspect'


machine = Machine()
print(getattr(machine, 'inspect')())
