"""R-02: fills memory through the buffers of pipes in many processes, each with its descriptors."""
import os
import signal
import time
from attempts import begin


def fill():
    for _ in range(100):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        try:
            while True:
                os.write(writer, bytes(1 << 16))
        except BlockingIOError:
            pass


def child():
    try:
        fill()
        memory = bytearray(12 << 20)
        for place in range(0, len(memory), 4096):
            memory[place] = 1
    finally:
        time.sleep(60)


begin("forty children full of buffers")
for _ in range(40):
    if os.fork() == 0:
        child()
signal.pause()
