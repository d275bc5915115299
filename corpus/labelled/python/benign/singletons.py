# capabilities: none; resembles: metaclass
class Single(type):
    instances = {}

    def __call__(cls, *values):
        if cls not in Single.instances:
            Single.instances[cls] = super().__call__(*values)
        return Single.instances[cls]


class Log(metaclass=Single):
    pass


print(Log() is Log())
