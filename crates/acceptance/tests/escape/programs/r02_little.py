"""R-02: takes a little more memory than it may have: 300 MiB."""
from attempts import attempt, begin, report

begin("three hundred mebibytes")
attempt("three hundred mebibytes", lambda: b"x" * (300 << 20) and None)
report()
