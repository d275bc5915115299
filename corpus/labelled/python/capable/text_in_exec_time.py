# capabilities: dynamic-code, time; hidden by: text in exec
import sys

exec("""
import time
print(time.monotonic())
""")
print(sys.argv)
