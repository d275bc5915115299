"""K-09: changes its personality, its segments and its access to ports."""
from attempts import apart, attempt, call, report

PERSONALITY, MODIFY_LDT, IOPL, IOPERM, ARCH_PRCTL = 135, 154, 172, 173, 158
READ_IMPLIES_EXEC, ADDR_NO_RANDOMIZE, MMAP_PAGE_ZERO = 0x400000, 0x40000, 0x100000
attempt("readable is executable", lambda: call(PERSONALITY, READ_IMPLIES_EXEC))
attempt("fixed addresses", lambda: call(PERSONALITY, ADDR_NO_RANDOMIZE))
attempt("map page zero", lambda: call(PERSONALITY, MMAP_PAGE_ZERO))
attempt("ask for the personality", lambda: call(PERSONALITY, 0xFFFFFFFF))
attempt("write a segment", lambda: call(MODIFY_LDT, 1, b"\0" * 16, 16))
apart("iopl", lambda: call(IOPL, 3))
apart("ioperm", lambda: call(IOPERM, 0, 1024, 1))
attempt("page zero", lambda: call(9, 0, 4096, 3, 0x32, -1, 0))
attempt("writable code", lambda: call(9, 0, 4096, 7, 0x22, -1, 0))
attempt("memory", lambda: call(9, 0, 4096, 3, 0x22, -1, 0))
report()
