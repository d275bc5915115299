# capabilities: files-write; hidden by: contextlib
import contextlib
import shutil

with contextlib.ExitStack() as stack:
    stack.callback(shutil.rmtree, "/nonexistent/tree", True)
