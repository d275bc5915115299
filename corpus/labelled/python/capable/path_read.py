# capabilities: files-read; hidden by: method of a path
import pathlib

notes = pathlib.PurePath("/nonexistent") / "notes.txt"
print(pathlib.Path(notes).read_text())
