# capabilities: threads, time; hidden by: nothing
import threading

timer = threading.Timer(0.0, print, ["later"])
timer.start()
timer.join()
