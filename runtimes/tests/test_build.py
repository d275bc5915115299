"""Tests of the scripts that build the runtimes, with small modules made here."""

import pathlib
import random
import struct
import sys
import tempfile
import unittest

RUNTIMES = pathlib.Path(__file__).parent.parent
sys.path[:0] = [str(RUNTIMES), str(RUNTIMES / "javascript")]

import immortalize
import manifest
import snapshot

PAGE = 65536


def section(kind, content):
    return bytes([kind]) + snapshot.number(len(content)) + content


def module(*parts):
    return b"\0asm\1\0\0\0" + b"".join(parts)


def component(*modules):
    return b"\0asm\x0d\0\1\0" + b"".join(section(1, one) for one in modules)


def memory(pages):
    return section(5, b"\1\0" + snapshot.number(pages))


class Numbers(unittest.TestCase):
    def test_are_read_as_they_were_written(self):
        for value in (0, 1, 127, 128, 300, 65535, 1 << 24, (1 << 31) - 1):
            written = snapshot.number(value)
            self.assertEqual(manifest.number(written + b"more", 0), (value, len(written)))
            self.assertEqual(snapshot.Reader(written).number(), value)

    def test_with_a_sign_keep_it(self):
        self.assertEqual(snapshot.signed(63), b"\x3f")
        self.assertEqual(snapshot.signed(64), b"\xc0\0")
        self.assertEqual(snapshot.signed(-1), b"\x7f")


class Snapshot(unittest.TestCase):
    def test_segments_are_all_that_is_not_zero(self):
        chance = random.Random(7)
        for _ in range(50):
            image = bytearray(PAGE)
            for _ in range(chance.randrange(40)):
                at, length = chance.randrange(PAGE - 300), chance.randrange(1, 300)
                image[at : at + length] = chance.randbytes(length)
            again = bytearray(PAGE)
            end = 0
            for at, content in snapshot.segments(bytes(image)):
                self.assertGreaterEqual(at, end)
                self.assertNotEqual(content[0], 0)
                again[at : at + len(content)] = content
                end = at + len(content)
            self.assertEqual(again, image)

    def test_the_exports_of_the_build_are_dropped(self):
        names = [b"memory", b"_initialize", b"run", b"initialize", b"__stack_pointer"]
        entries = [snapshot.number(len(name)) + name + b"\0\5" for name in names]
        kept = snapshot.exports_section(snapshot.number(len(names)) + b"".join(entries))
        self.assertEqual(kept, b"\2" + entries[0] + entries[2])

    def test_passive_segments_are_refused(self):
        snapshot.check_segments(b"\1\0\x41\5\x0b\1x")
        with self.assertRaises(SystemExit):
            snapshot.check_segments(b"\1\1\1x")


class Manifest(unittest.TestCase):
    def test_memory_is_that_of_all_modules(self):
        both = component(module(memory(3)), module(), module(memory(200)))
        self.assertEqual(manifest.memory_bytes(both), 203 * PAGE)
        self.assertEqual(manifest.memory_bytes(component(module())), 0)

    def test_the_interface_is_that_of_the_world(self):
        found = manifest.interface((RUNTIMES / "wit/runner.wit").read_text())
        self.assertEqual(found["package"], "atoll:runner")
        self.assertRegex(found["version"], r"^\d+\.\d+\.\d+$")
        self.assertEqual((found["world"], found["exports"]), ("runner", ["prepare", "run"]))

    def test_a_runtime_is_named_by_its_hash(self):
        with tempfile.TemporaryDirectory() as directory:
            place = pathlib.Path(directory)
            (place / "python.wasm").write_bytes(module(memory(2)))
            (place / "python.modules").write_text("abc\n")
            made = manifest.runtime(place, "python", "CPython", "3.14.0")
            self.assertEqual(made["memory_bytes_at_start"], 2 * PAGE)
            self.assertEqual(len(made["sha256"]), 64)
            (place / "python.modules").write_text("")
            with self.assertRaises(SystemExit):
                manifest.runtime(place, "python", "CPython", "3.14.0")


class Immortalize(unittest.TestCase):
    TYPE, OTHER = 4096, 4100

    def content(self, objects):
        """A component with objects (count, type) from 8192 on, and a listing of them."""
        places = [8192 + 16 * at for at in range(len(objects))]
        listing = struct.pack(f"<{len(places) + 3}I", len(places), 1, *places, self.TYPE)
        pieces = [(100, immortalize.MARK + listing)]
        pieces += [(place, struct.pack("<iI", *one)) for place, one in zip(places, objects)]
        data = snapshot.number(len(pieces)) + b"".join(
            b"\0\x41" + snapshot.signed(place) + b"\x0b" + snapshot.number(len(piece)) + piece
            for place, piece in pieces
        )
        return bytearray(component(module(memory(1), section(11, data)))), places

    def counts(self, objects):
        content, places = self.content(objects)
        listed, changed = immortalize.immortalize(content)
        after = immortalize.Memory(content)
        return listed, changed, [struct.unpack("<i", after.read(p, 4))[0] for p in places]

    def test_objects_are_changed(self):
        found = self.counts([(1, self.TYPE), (500, self.TYPE)])
        self.assertEqual(found, (2, 2, [immortalize.IMMORTAL] * 2))

    def test_what_is_no_object_any_more_is_left(self):
        left = [(1, self.OTHER), (0, self.TYPE), (1 << 20, self.TYPE), (7 << 28, self.TYPE)]
        self.assertEqual(self.counts(left), (4, 1, [count for count, _ in left]))

    def test_a_component_without_a_listing_is_refused(self):
        with self.assertRaises(SystemExit):
            immortalize.immortalize(bytearray(component(module(memory(1)))))


if __name__ == "__main__":
    unittest.main()
