# capabilities: files-read; hidden by: atexit
import atexit
import glob as kit


@atexit.register
def goodbye():
    kit.glob('/nonexistent/*')


print(sum(range(10)))
