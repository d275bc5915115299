# capabilities: files-write; hidden by: method of a path
from pathlib import Path

with Path("/nonexistent/a").open("w") as file:
    print("x", file=file)
