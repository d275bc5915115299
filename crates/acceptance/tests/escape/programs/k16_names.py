"""K-16: takes names that would write to a terminal or forge a line of a log."""
import os
from attempts import attempt, call, report

NAME = b"\x1b[2J\natoll: ok"
attempt("name of the process", lambda: call(157, 15, NAME, 0, 0, 0))
attempt("name of a file", lambda: os.close(os.open(NAME, os.O_CREAT | os.O_WRONLY)))
attempt("name of a program", lambda: os.waitpid(os.posix_spawn("/bin/true", [NAME], {}), 0))
report()
