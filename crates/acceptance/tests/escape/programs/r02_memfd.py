"""R-02: fills memory through a file in memory, which belongs to no address space."""
import os
from attempts import attempt, begin, report

begin("a file of four gibibytes in memory")
file = os.memfd_create("bomb")
block = bytes(1 << 20)
attempt("a file of four gibibytes in memory", lambda: [os.write(file, block) for _ in range(4096)])
report()
