# capabilities: files-write; hidden by: instance attribute
import os as kit


class Job:
    def __init__(self):
        self.kit = kit

    def start(self):
        return self.kit.remove('/nonexistent/old')


print(Job().start())
