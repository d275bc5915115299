# capabilities: dynamic-code, introspection; hidden by: text in exec
import sys

exec("""
import sys
print(sys.settrace(None))
""")
print(sys.argv)
