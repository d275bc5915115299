# capabilities: none; resembles: text in exec
PROGRAM = """
import os
os.system("echo")
eval("1")
"""
print(len(PROGRAM.splitlines()))
