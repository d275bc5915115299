# capabilities: threads; hidden by: subclass
from threading import Thread as Worker


class Counter(Worker):
    def run(self):
        print(sum(range(100)))


Counter().start()
