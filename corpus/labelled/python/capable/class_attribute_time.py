# capabilities: time; hidden by: class attribute
import time as kit


class Job:
    work = staticmethod(kit.time)

    def start(self):
        return self.work()


print(Job().start())
