# capabilities: dynamic-code, network; hidden by: text in exec
import sys

exec("""
import urllib.request
print(urllib.request.urlopen('http://example.invalid/feed'))
""")
print(sys.argv)
