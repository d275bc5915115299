# capabilities: system-information; hidden by: weakref.finalize
import weakref
import os as kit


class Node:
    pass


node = Node()
weakref.finalize(node, lambda: kit.cpu_count())
del node
