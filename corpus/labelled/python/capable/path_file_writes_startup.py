# capabilities: files-read, files-write, system-information or unanalyzed; hidden by: start-up file
import pathlib
import site

folder = pathlib.Path(site.getusersitepackages())
(folder / "extra.pth").write_text("import sys\n")
