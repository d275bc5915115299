# capabilities: none; resembles: import_module as getattr of an own method
class Machine:
    def import_module(self):
        return 'ran import_module'


machine = Machine()
print(getattr(machine, 'import_module')())
