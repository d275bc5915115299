"""Runs beside an attack: leaves what nobody else may see, and stays until its input ends."""
import json
import os
import socket
import sys

with open("/tmp/neighbour", "w") as file:
    file.write("nobody may read this")
os.chmod("/tmp/neighbour", 0o644)
listener = socket.socket(socket.AF_UNIX)
listener.bind("\0neighbour")
listener.listen()
print(json.dumps({"process": os.getpid()}), flush=True)
sys.stdin.read()
