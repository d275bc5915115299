# capabilities: processes or unanalyzed; hidden by: dir
import os

name = [word for word in dir(os) if word.startswith("sys") and word.endswith("tem")][0]
getattr(os, name)("echo ready")
