# capabilities: processes; hidden by: class attribute
import subprocess as kit


class Job:
    work = staticmethod(kit.run)

    def start(self):
        return self.work(['echo', 'ready'])


print(Job().start())
