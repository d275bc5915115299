# capabilities: system-information; hidden by: renamed function
from socket import gethostname as label

print("running on", label())
