# capabilities: randomness; hidden by: __del__
import uuid as kit


class Temporary:
    def __del__(self):
        kit.uuid4()


Temporary()
print('done')
