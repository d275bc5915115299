# capabilities: processes; hidden by: __getattr__ of a class
import subprocess


class Lazy:
    def __getattr__(self, name):
        return getattr(subprocess, "run")


print(Lazy().anything(["echo", "ready"]))
