# capabilities: none; resembles: mount
class Telescope:
    def mount(self, lens):
        self.lens = lens
        return self

    def unmount(self):
        self.lens = None


print(Telescope().mount("50mm").lens)
