# capabilities: files-read; hidden by: __del__
import os as kit


class Temporary:
    def __del__(self):
        kit.stat('/nonexistent/a')


Temporary()
print('done')
