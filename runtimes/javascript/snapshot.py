#!/usr/bin/env python3
"""Runs a module's `initialize` and writes the module as it is after that.

    snapshot.py MODULE RESULT STACK_BYTES

The result has the memory that the module had then as its initial memory, so no instance begins from
nothing. It lacks the exports that only matter before: `_initialize` and `initialize`. What an
instance has besides memory must be as it was: the module may not change its tables or globals, and
may have no passive segments. That is so for C compiled by clang, whose one changing global is the
stack pointer, the same before and after a call; what lies below it is dead, and written as zeros.

Nothing of the host is in the result: while the module runs here it has no files, no environment and
no streams, and its clocks and randomness are what it must ask for again.
"""

import pathlib
import sys

PAGE = 65536
MEMORY, EXPORTS, START, DATA, DATA_COUNT = 5, 7, 8, 11, 12
DROPPED = {"_initialize", "initialize", "__stack_pointer"}

# Runs of zeros that are shorter cost less inside a segment than between two.
GAP_BYTES = 64


def number(value):
    """An unsigned LEB128."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value):
    """A signed LEB128."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


class Reader:
    """Bytes of a module, from a place on."""

    def __init__(self, data, at=0):
        self.data = data
        self.at = at

    def number(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def bytes(self, count):
        self.at += count
        return self.data[self.at - count : self.at]


def sections(module):
    reader = Reader(module, 8)
    while reader.at < len(module):
        kind = reader.bytes(1)[0]
        yield kind, reader.bytes(reader.number())


def initialized(module, stack_bytes):
    """The module's memory after `initialize`."""
    # Only the build has it; all else here can do without.
    import wasmtime

    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    store.set_wasi(wasmtime.WasiConfig())
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    compiled = wasmtime.Module(engine, module)
    for wanted in compiled.imports:
        if wanted.module != "wasi_snapshot_preview1":
            never = wasmtime.Func(store, wanted.type, too_early(wanted))
            linker.define(store, wanted.module, wanted.name, never)
    exports = linker.instantiate(store, compiled).exports(store)
    before = exports["__stack_pointer"].value(store)
    exports["_initialize"](store)
    exports["initialize"](store)
    after = exports["__stack_pointer"].value(store)
    if before != after:
        sys.exit(f"the stack pointer was {before} and is {after}: `initialize` did not return")
    memory = exports["memory"]
    image = bytearray(memory.read(store, 0, memory.data_len(store)))
    image[after - stack_bytes : after] = bytes(stack_bytes)
    return bytes(image)


def too_early(wanted):
    def called(*_):
        raise RuntimeError(f"{wanted.module} {wanted.name} was called before there is a program")

    return called


def segments(image):
    """Where the image is not zero: pairs of an offset and bytes."""
    at, end = 0, len(image)
    while at < end:
        # A whole stretch of zeros is skipped with one comparison.
        if image[at : at + 4096] == bytes(len(image[at : at + 4096])):
            at += 4096
            continue
        while image[at] == 0:
            at += 1
        stop = image.find(bytes(GAP_BYTES), at)
        stop = end if stop < 0 else stop
        yield at, image[at:stop]
        at = stop


def data_section(image):
    parts = [
        b"\0\x41" + signed(at) + b"\x0b" + number(len(content)) + content
        for at, content in segments(image)
    ]
    return number(len(parts)) + b"".join(parts)


def check_segments(content):
    """Refuses segments that code can use later."""
    reader = Reader(content)
    for _ in range(reader.number()):
        if reader.number() != 0 or reader.bytes(1) != b"\x41":
            sys.exit("there is a passive segment, or one at a place that is not constant")
        reader.number()
        reader.bytes(1)
        reader.bytes(reader.number())


def exports_section(content):
    reader = Reader(content)
    kept = []
    for _ in range(reader.number()):
        name = reader.bytes(reader.number())
        kind, index = reader.bytes(1), reader.number()
        if name.decode() not in DROPPED:
            kept.append(number(len(name)) + name + kind + number(index))
    return number(len(kept)) + b"".join(kept)


def memory_section(content, image):
    reader = Reader(content)
    if reader.number() != 1 or reader.number() != 0:
        sys.exit("there must be one memory, without a maximum")
    return number(1) + b"\0" + number(len(image) // PAGE)


def main():
    source, result, stack_bytes = sys.argv[1], sys.argv[2], int(sys.argv[3])
    module = pathlib.Path(source).read_bytes()
    image = initialized(module, stack_bytes)
    out = bytearray(module[:8])
    for kind, content in sections(module):
        if kind == START:
            sys.exit("there is a start function, which would run again")
        if kind == DATA_COUNT:
            continue
        if kind == MEMORY:
            content = memory_section(content, image)
        elif kind == EXPORTS:
            content = exports_section(content)
        elif kind == DATA:
            check_segments(content)
            content = data_section(image)
        out += bytes([kind]) + number(len(content)) + content
    pathlib.Path(result).write_bytes(out)


if __name__ == "__main__":
    main()
