# capabilities: processes; hidden by: importlib under another name
from importlib import import_module as load


class Plugin:
    def __init__(self, name):
        self.name = name

    def start(self):
        return load('subprocess').Popen(['echo', 'ready'])


print(Plugin('main').start())
