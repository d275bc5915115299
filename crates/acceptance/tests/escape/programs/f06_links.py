"""F-06: moves files across the border of its directories by hard links and renames."""
import os
from attempts import CANARY, attempt, report

open("own", "w").close()
attempt("link a file of the system", lambda: os.link("/usr/bin/python3.11", "linked"))
attempt("link a setuid program", lambda: os.link("/usr/bin/su", "su"))
attempt("link the canary", lambda: os.link(CANARY, "canary"))
attempt("link into the system", lambda: os.link("own", "/usr/bin/own"))
attempt("rename into the system", lambda: os.rename("own", "/usr/bin/own"))
attempt("rename onto the canary", lambda: os.rename("own", CANARY))
attempt("rename out of the system", lambda: os.rename("/usr/bin/env", "env"))
attempt("rename a mounted directory", lambda: os.rename("/work", "/tmp/work"))
attempt("link inside", lambda: os.link("own", "second"))
attempt("rename inside", lambda: os.rename("second", "third"))
report()
