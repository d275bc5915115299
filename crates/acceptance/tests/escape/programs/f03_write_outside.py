"""F-03: creates files outside its own directories."""
import os
from attempts import CANARY, attempt, report


def create(directory):
    os.close(os.open(os.path.join(directory, "planted"), os.O_CREAT | os.O_EXCL | os.O_WRONLY))


for directory in ("/", "/usr", "/usr/bin", "/etc", "/lib", "/dev", "/proc", "/etc/ssl/certs"):
    attempt(directory, lambda: create(directory))
attempt("/sys", lambda: create("/sys"))
attempt("beside the canary", lambda: create(os.path.dirname(CANARY)))
attempt("truncate an interpreter", lambda: os.truncate("/usr/bin/python3.11", 0))
attempt("change the mode of an interpreter", lambda: os.chmod("/usr/bin/python3.11", 0o777))
attempt("own directory", lambda: create("/work"))
report()
