# capabilities: processes; hidden by: __class_getitem__
from os import popen


class Run:
    def __class_getitem__(cls, command):
        return popen(command).read()


print(Run["echo ready"])
