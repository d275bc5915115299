# capabilities: files-write; hidden by: table of functions
import os

actions = {}
actions.update(clean=os.unlink)
actions["clean"]("/nonexistent/x")
