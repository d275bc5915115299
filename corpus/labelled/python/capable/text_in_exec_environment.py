# capabilities: dynamic-code, environment; hidden by: text in exec
import sys

exec("""
import os
print(os.getenv('HOME'))
""")
print(sys.argv)
