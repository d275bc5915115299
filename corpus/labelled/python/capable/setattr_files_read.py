# capabilities: files-read; hidden by: setattr
import os as kit


class Box:
    pass


box = Box()
setattr(box, 'go', kit.stat)
print(box.go('/nonexistent/a'))
