import threading
lock = threading.Lock()
with lock:
    print(threading.current_thread().name)
out = []
t = threading.Thread(target=out.append, args=(1,))
t.start()
t.join()
print(out)
