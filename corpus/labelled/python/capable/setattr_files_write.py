# capabilities: files-write; hidden by: setattr
import shutil as kit


class Box:
    pass


box = Box()
setattr(box, 'go', kit.rmtree)
print(box.go('/nonexistent/tree', True))
