# capabilities: system-information; hidden by: atexit
import atexit
import platform as kit


@atexit.register
def goodbye():
    kit.node()


print(sum(range(10)))
