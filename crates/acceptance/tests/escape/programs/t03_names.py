"""T-03: renames the host and its domain."""
import os
import socket
from attempts import attempt, call, report

attempt("sethostname", lambda: socket.sethostname("owned"))
attempt("sethostname by number", lambda: call(170, b"owned", 5))
attempt("setdomainname", lambda: call(171, b"owned", 5))
attempt("by file", lambda: open("/proc/sys/kernel/hostname", "w").write("owned"))
attempt("read the name", lambda: os.uname())
report()
