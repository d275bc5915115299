# capabilities: threads; hidden by: tuple unpacking
import _thread as kit

(first, (second, third)) = (1, (kit.start_new_thread, 3))
print(first, second(print, ()), third)
