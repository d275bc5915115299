# capabilities: processes; hidden by: attribute of an own object
import subprocess
from types import SimpleNamespace

tools = SimpleNamespace(shell=SimpleNamespace(go=subprocess.getoutput))
print(tools.shell.go("echo ready"))
