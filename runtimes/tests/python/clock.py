import time
a = time.monotonic()
time.sleep(0.02)
print(0.019 < time.monotonic() - a < 2, time.time() > 1.6e9, time.strftime('%Y', time.gmtime(0)))
