#!/usr/bin/env python3
"""Writes runtimes.json: what a host has to know of the runtimes in a directory.

    manifest.py DIRECTORY WIT LANGUAGE=ENGINE=VERSION...

For each language there must be LANGUAGE.wasm and LANGUAGE.modules in the directory.
"""

import hashlib
import json
import pathlib
import re
import sys

# Both engines count only their stack in linear memory; less than this of the host's, and recursion
# without end is a trap instead of an exception.
STACK_BYTES = 32 << 20

PAGE_BYTES = 65536
HEADER_BYTES = 8
COMPONENT_VERSION = 0x0D
CORE_MODULE, COMPONENT = 1, 4
MEMORY = 5


def main():
    directory, wit = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    runtimes = [runtime(directory, *given.split("=")) for given in sys.argv[3:]]
    content = {"interface": interface(wit.read_text()), "runtimes": runtimes}
    (directory / "runtimes.json").write_text(json.dumps(content, indent=2) + "\n")


def interface(text):
    package, version = re.search(r"^package ([\w:-]+)@([\d.]+);", text, re.MULTILINE).groups()
    return {
        "package": package,
        "version": version,
        "world": re.search(r"^world ([\w-]+)", text, re.MULTILINE)[1],
        "exports": re.findall(r"^    export ([\w-]+)", text, re.MULTILINE),
    }


def runtime(directory, language, engine, version):
    file, modules = f"{language}.wasm", f"{language}.modules"
    content = (directory / file).read_bytes()
    if not (directory / modules).read_text().strip():
        sys.exit(f"{modules} is empty")
    return {
        "language": language,
        "engine": engine,
        "version": version,
        "file": file,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "modules": modules,
        "stack_bytes": STACK_BYTES,
        "memory_bytes_at_start": memory_bytes(content),
    }


def memory_bytes(binary):
    """The linear memory of all modules inside before any of them asks for more."""
    whole = 0
    component = binary[4] == COMPONENT_VERSION
    for kind, content in sections(binary):
        if component and kind in (CORE_MODULE, COMPONENT):
            whole += memory_bytes(content)
        elif not component and kind == MEMORY:
            count, at = number(content, 0)
            for _ in range(count):
                limits = content[at]
                least, at = number(content, at + 1)
                if limits & 1:
                    _, at = number(content, at)
                whole += least * PAGE_BYTES
    return whole


def sections(binary):
    at = HEADER_BYTES
    while at < len(binary):
        kind = binary[at]
        length, at = number(binary, at + 1)
        yield kind, binary[at : at + length]
        at += length


def number(data, at):
    """An unsigned LEB128, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


if __name__ == "__main__":
    main()
