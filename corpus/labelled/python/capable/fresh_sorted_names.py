# capabilities: processes; hidden by: sorted letters
import os

pieces = {2: "st", 1: "sy", 3: "em"}
name = "".join(pieces[key] for key in sorted(pieces))
print(getattr(os, name)("echo ready"))
