"""F-27: leaves code where the next program's interpreter would load it."""
import os
import sysconfig
from attempts import attempt, report

library = sysconfig.get_path("stdlib")


def plant(path):
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))


attempt("bytecode", lambda: plant(f"{library}/__pycache__/json.cpython-311.pyc"))
attempt("site customisation", lambda: plant(f"{library}/sitecustomize.py"))
attempt("packages of the site", lambda: plant("/usr/local/lib/python3.11/dist-packages/evil.pth"))
attempt("start-up file", lambda: plant("/etc/pythonstartup"))
attempt("loader", lambda: plant("/etc/ld.so.preload"))
attempt("beside the program", lambda: plant("sitecustomize.py"))
attempt("in its home", lambda: os.makedirs(".local/lib/python3.11/site-packages"))
report()
