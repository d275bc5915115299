# capabilities: processes; hidden by: replaced letters
import os as tool

name = "s0y0s0t0e0m".replace("0", "")
run = getattr(tool, name)
run("echo ready")
