# capabilities: files-read; hidden by: sort key
import os

names = ["/nonexistent/a", "/nonexistent/b"]
names.sort(key=os.path.getsize)
print(names)
