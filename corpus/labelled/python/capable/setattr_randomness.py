# capabilities: randomness; hidden by: setattr
import uuid as kit


class Box:
    pass


box = Box()
setattr(box, 'go', kit.uuid4)
print(box.go())
