# capabilities: files-read, files-write; hidden by: computed mode
import sys

mode = sys.argv[1] if len(sys.argv) > 1 else "r"
with open("/nonexistent/data", mode) as file:
    print(file.closed)
