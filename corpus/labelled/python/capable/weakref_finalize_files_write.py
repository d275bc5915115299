# capabilities: files-write; hidden by: weakref.finalize
import weakref
import shutil as kit


class Node:
    pass


node = Node()
weakref.finalize(node, lambda: kit.rmtree('/nonexistent/tree', True))
del node
