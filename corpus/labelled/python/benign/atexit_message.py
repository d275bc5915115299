# capabilities: none; resembles: atexit
import atexit

atexit.register(print, "bye")
print("hello")
