# capabilities: introspection, processes or unanalyzed; hidden by: module of a class
import sys
import subprocess

holder = sys.modules[subprocess.Popen.__module__]
holder.run(["echo", "ready"])
