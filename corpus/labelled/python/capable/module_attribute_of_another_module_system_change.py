# capabilities: system-change; hidden by: module attribute of another module
import random

print(random._os.setuid(65534))
