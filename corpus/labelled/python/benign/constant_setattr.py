# capabilities: none; resembles: setattr
class Record:
    pass


record = Record()
setattr(record, "level", 3)
print(record.level)
