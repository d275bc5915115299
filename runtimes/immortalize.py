#!/usr/bin/env python3
"""Makes the objects in a snapshot of CPython immortal; see python/immortal.py.

    immortalize.py COMPONENT

Changes the component's initial memory in place: the reference counts of the objects that
`immortal.listing` has written down. A place that does not look like an object (a count, and one of
the listed types) is left as it is: it was freed after the listing.
"""

import bisect
import pathlib
import struct
import sys

from manifest import COMPONENT, COMPONENT_VERSION, CORE_MODULE, HEADER_BYTES, number

MARK = b"atoll-objects-are"
DATA = 11

# _Py_IMMORTAL_INITIAL_REFCNT of CPython 3.14 where pointers have 32 bits, and the least count that it
# takes for an immortal object's.
IMMORTAL, IMMORTAL_LEAST = 5 << 28, 1 << 30

# Free objects that are kept for later have a place in memory there, which is more.
COUNT_MAX = 1 << 16

# Of the objects listed, so many are still there when all is well.
CHANGED_LEAST = 0.9


class Memory:
    """The initial memory in a component: pieces of the file, by their place in memory."""

    def __init__(self, content):
        self.content = content
        self.pieces = sorted(segments(content, 0, len(content)))
        self.starts = [place for place, _, _ in self.pieces]

    def find(self, mark):
        for place, at, length in self.pieces:
            found = self.content.find(mark, at, at + length)
            if found >= 0:
                return place + found - at
        sys.exit(f"the component's memory has no {mark.decode()}: was `listing` called?")

    def read(self, place, length):
        """Bytes of memory; what is in no piece is zero."""
        out = bytearray(length)
        first = max(bisect.bisect_right(self.starts, place) - 1, 0)
        for start, at, size in self.pieces[first:]:
            if start >= place + length:
                break
            low, high = max(start, place), min(start + size, place + length)
            if low < high:
                out[low - place : high - place] = self.content[at + low - start : at + high - start]
        return bytes(out)

    def offset(self, place, length):
        """Where in the file a part of memory is, if it is there as one."""
        index = bisect.bisect_right(self.starts, place) - 1
        if index < 0:
            return None
        start, at, size = self.pieces[index]
        return at + place - start if place + length <= start + size else None


def segments(content, begin, end):
    """Place, offset in the file and length of every active data segment."""
    component = content[begin + 4] == COMPONENT_VERSION
    at = begin + HEADER_BYTES
    while at < end:
        kind = content[at]
        length, at = number(content, at + 1)
        if component and kind in (CORE_MODULE, COMPONENT):
            yield from segments(content, at, at + length)
        elif not component and kind == DATA:
            yield from data(content, at)
        at += length


def data(content, at):
    count, at = number(content, at)
    for _ in range(count):
        # Memory 0, at a constant place.
        if content[at] != 0 or content[at + 1] != 0x41:
            sys.exit("there is a data segment whose place is not constant")
        place, at = number(content, at + 2)
        length, at = number(content, at + 1)
        yield place, at, length
        at += length


def immortalize(content):
    """Changes the content, and returns how many objects are listed and how many were changed."""
    memory = Memory(content)
    begin = memory.find(MARK) + len(MARK)
    objects, types = struct.unpack("<2I", memory.read(begin, 8))
    places = struct.unpack(f"<{objects + types}I", memory.read(begin + 8, 4 * (objects + types)))
    known = set(places[objects:])
    changed = 0
    for place in places[:objects]:
        offset = memory.offset(place, 8)
        if offset is None:
            continue
        count, kind = struct.unpack_from("<iI", content, offset)
        if kind not in known or not (0 < count < COUNT_MAX or count >= IMMORTAL_LEAST):
            continue
        if count < COUNT_MAX:
            struct.pack_into("<i", content, offset, IMMORTAL)
        changed += 1
    return objects, changed


def main():
    path = pathlib.Path(sys.argv[1])
    content = bytearray(path.read_bytes())
    objects, changed = immortalize(content)
    print(f"{changed} of {objects} objects are immortal now", file=sys.stderr)
    if changed < CHANGED_LEAST * objects:
        sys.exit("too few of the objects look like CPython's: is it another version?")
    path.write_bytes(content)


if __name__ == "__main__":
    main()
