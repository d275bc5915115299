# capabilities: files-read; hidden by: renamed function
from io import open as reader

with reader("/nonexistent/config.ini") as file:
    print(len(file.read()))
