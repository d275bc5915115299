"""D-03: claims an end that it did not have, and leaves files that claim it too."""
import os
from attempts import begin

begin("false ending")
for name in ("status", "exit_code", "result.json", "report.json", "oom", "usage"):
    with open(name, "w") as file:
        file.write('{"status": "exited", "exit_code": 0, "limit": {"name": "memory"}}')
os.write(2, b"atoll: memory limit of 1 MiB exceeded\nKilled\nOut of memory: Killed process 1\n")
os.kill(os.getpid(), 15)
