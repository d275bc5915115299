"""R-02: fills the kernel's memory with what a program has it keep: timers, maps, locks, tables."""
import fcntl
import mmap
import os
import select
import struct
from attempts import attempt, begin, call, report

TIMER_CREATE, MMAP, NORESERVE = 222, 9, 0x4022


def timers():
    for _ in range(2000):
        call(TIMER_CREATE, 1, 0, b"\0" * 8)


def maps():
    # Every second page has another protection, so that none of them can be joined.
    place = call(MMAP, 0, 200_000 * 4096, 0, NORESERVE, -1, 0)
    for page in range(0, 200_000, 2):
        call(10, place + page * 4096, 4096, 1)


def locks():
    with open("locked", "wb") as file:
        for byte in range(0, 40_000, 2):
            fcntl.fcntl(file, fcntl.F_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, byte, 1, 0))


def watches():
    kept = [select.epoll() for _ in range(20)]
    ends = [os.pipe() for _ in range(50)]
    for one in kept:
        for reader, _ in ends:
            one.register(reader)
    for one in kept:
        one.close()
    for end in ends:
        os.close(end[0])
        os.close(end[1])


def tables():
    """One page in every two megabytes: each takes a page, and a page of tables."""
    kept = mmap.mmap(-1, 1 << 40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)
    for place in range(0, 1 << 40, 1 << 21):
        kept[place] = 1


attempt("two thousand timers", timers)
attempt("a hundred thousand maps", maps)
attempt("twenty thousand locks", locks)
attempt("a thousand watches", watches)
report()
begin("page tables")
attempt("page tables", tables)
report()
