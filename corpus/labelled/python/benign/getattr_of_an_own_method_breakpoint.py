# capabilities: none; resembles: breakpoint as getattr of an own method
class Machine:
    def breakpoint(self):
        return 'ran breakpoint'


machine = Machine()
print(getattr(machine, 'breakpoint')())
