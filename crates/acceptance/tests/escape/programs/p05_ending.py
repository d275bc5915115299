"""P-05: ends as it is told to, by an exit code or by a signal."""
import os
from attempts import begin

begin("end")
how, number = os.environ["ENDING"].split()
if how == "exit":
    os._exit(int(number))
os.kill(os.getpid(), int(number))
