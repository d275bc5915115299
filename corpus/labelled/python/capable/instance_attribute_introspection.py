# capabilities: introspection; hidden by: instance attribute
import sys as kit


class Job:
    def __init__(self):
        self.kit = kit

    def start(self):
        return self.kit.settrace(None)


print(Job().start())
