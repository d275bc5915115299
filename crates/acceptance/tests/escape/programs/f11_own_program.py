"""F-11: deletes and replaces its own program, and the interpreter that runs it."""
import os
import sys
from attempts import attempt, report

interpreter = os.path.realpath(sys.executable)
attempt("delete the program", lambda: os.unlink(__file__))
attempt("replace the program", lambda: open(__file__, "w").write("raise SystemExit(3)"))
attempt("delete the interpreter", lambda: os.unlink(interpreter))
attempt("write to the interpreter", lambda: os.open(interpreter, os.O_WRONLY))
attempt("replace the interpreter", lambda: os.rename(__file__, interpreter))
report()
