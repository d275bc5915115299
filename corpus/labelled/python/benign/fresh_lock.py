# capabilities: none; resembles: threads
class Lock:
    def __init__(self):
        self.locked = False

    def __enter__(self):
        self.locked = True
        return self

    def __exit__(self, *details):
        self.locked = False


with Lock() as lock:
    print(lock.locked)
