# capabilities: time; hidden by: importlib under another name
from importlib import import_module as load


class Plugin:
    def __init__(self, name):
        self.name = name

    def start(self):
        return load('time').sleep(0)


print(Plugin('main').start())
