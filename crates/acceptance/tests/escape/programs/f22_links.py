"""F-22: leaves links where the host looks for files: to the canary, to devices, to itself."""
import os
from attempts import CANARY, attempt, report

attempt("link to the canary", lambda: os.symlink(CANARY, "taken"))
attempt("link by way of a directory",
        lambda: os.symlink(os.path.dirname(CANARY), "directory"))
attempt("link that climbs", lambda: os.symlink("../" * 40 + CANARY[1:], "climbs"))
attempt("link to a device", lambda: os.symlink("/dev/zero", "endless"))
attempt("link to itself", lambda: os.symlink("loop", "loop"))
attempt("own file", lambda: open("own", "w").write("own"))
report()
