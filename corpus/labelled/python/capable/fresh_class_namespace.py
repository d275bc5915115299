# capabilities: processes; hidden by: class namespace
import subprocess


class Names(dict):
    run = subprocess.run


print(Names.run(["echo", "ready"]))
