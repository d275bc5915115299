"""R-06: writes without end to both streams, also from children and without line breaks."""
import os
from attempts import begin

begin("flood")
block = b"x" * (1 << 16)
os.fork()
while True:
    for stream in (1, 2):
        os.write(stream, block)
