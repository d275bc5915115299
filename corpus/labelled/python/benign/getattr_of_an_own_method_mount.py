# capabilities: none; resembles: mount as getattr of an own method
class Machine:
    def mount(self):
        return 'ran mount'


machine = Machine()
print(getattr(machine, 'mount')())
