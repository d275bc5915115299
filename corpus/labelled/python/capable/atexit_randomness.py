# capabilities: randomness; hidden by: atexit
import atexit
import secrets as kit


@atexit.register
def goodbye():
    kit.token_hex(4)


print(sum(range(10)))
