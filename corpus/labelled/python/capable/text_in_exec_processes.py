# capabilities: dynamic-code, processes; hidden by: text in exec
import sys

exec("""
import pty
print(pty.spawn('/bin/true'))
""")
print(sys.argv)
