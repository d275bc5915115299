# capabilities: environment, files-write; hidden by: start-up file
import os

target = os.path.join(os.environ.get("HOME", "/nonexistent"), ".profile")
with open(target, mode="a") as file:
    file.write("export LEVEL=3\n")
