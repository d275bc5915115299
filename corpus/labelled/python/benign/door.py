# capabilities: none; resembles: open
class Door:
    def __init__(self):
        self.is_open = False

    def open(self):
        self.is_open = True

    def close(self):
        self.is_open = False


door = Door()
door.open()
print(door.is_open)
