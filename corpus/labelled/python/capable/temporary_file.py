# capabilities: files-read, files-write; hidden by: nothing
from tempfile import NamedTemporaryFile

with NamedTemporaryFile("w+", suffix=".txt") as file:
    file.write("x")
    file.seek(0)
    print(file.read())
