# capabilities: none; resembles: code as getattr of an own method
class Machine:
    def code(self):
        return 'ran code'


machine = Machine()
print(getattr(machine, 'code')())
