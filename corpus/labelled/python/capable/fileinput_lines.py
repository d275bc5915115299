# capabilities: files-read; hidden by: nothing
import fileinput

for line in fileinput.input(["/nonexistent/log"]):
    print(line.rstrip())
