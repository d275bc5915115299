# capabilities: none; resembles: os
class FileSystem:
    def __init__(self):
        self.files = {}

    def mkdir(self, path):
        self.files[path] = {}

    def remove(self, path):
        del self.files[path]

    def listdir(self):
        return sorted(self.files)


system = FileSystem()
system.mkdir("/a")
system.remove("/a")
print(system.listdir())
