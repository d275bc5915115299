# capabilities: files-write; hidden by: atexit
import atexit
import os as kit


@atexit.register
def goodbye():
    kit.remove('/nonexistent/old')


print(sum(range(10)))
