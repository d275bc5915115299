# capabilities: threads; hidden by: property
import _thread as kit


class Status:
    @property
    def value(self):
        return kit.start_new_thread(print, ())


print(Status().value)
