"""F-09: pivots the root once more, back to where the old one may be."""
import os
from attempts import apart, attempt, call, report

os.mkdir("new")
os.mkdir("new/old")
apart("pivot_root", lambda: call(155, b"/work/new", b"/work/new/old"))
apart("pivot_root on itself", lambda: call(155, b".", b"."))
attempt("make a directory", lambda: os.mkdir("another"))
report()
