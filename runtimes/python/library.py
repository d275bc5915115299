"""The standard library in memory: where the program runs there are no files of Python's.

What most programs import is imported when the component is built. The rest waits as compressed
byte code, and the sources wait for tracebacks. What cannot be imported here (it needs threads of the
system, sockets or libraries in C that are not there) is left out, so that a program finds it missing.
"""

import atexit
import importlib.machinery
import importlib.util
import marshal
import os
import sys
import zlib

# Where a build of python3 for Linux has it, so that tracebacks look as everywhere.
PREFIX = f"/usr/lib/python3.{sys.version_info.minor}"

LEFT_OUT = frozenset(
    "__hello__ __phello__ _aix_support _android_support _apple_support _ios_support _osx_support "
    "_sysconfigdata__wasi_wasm32-wasi antigravity config-3 ctypes curses ensurepip idlelib "
    "pydoc_data site-packages test this tkinter turtle turtledemo venv webbrowser".split()
)

IMPORTED = """
    __future__ abc argparse array ast asyncio atexit base64 binascii bisect calendar cmath codecs
    collections collections.abc concurrent.futures configparser contextlib contextvars copy csv
    dataclasses datetime decimal difflib dis doctest email email.message email.mime.text
    email.parser encodings.ascii encodings.idna encodings.latin_1 encodings.utf_16 enum errno
    fileinput fnmatch fractions functools gc getopt getpass gettext glob graphlib gzip hashlib heapq
    hmac html html.entities html.parser importlib importlib.metadata importlib.resources inspect io
    ipaddress itertools json keyword linecache locale logging logging.handlers marshal math
    mimetypes numbers operator optparse os os.path pathlib pickle pkgutil platform plistlib pprint
    queue random re reprlib runpy sched secrets select selectors shelve shlex shutil signal socket
    sqlite3 stat statistics string string.templatelib struct subprocess sys tempfile textwrap
    threading time timeit tokenize tomllib traceback types typing unicodedata unittest unittest.mock urllib.parse
    urllib.request uuid warnings weakref xml.dom.minidom xml.etree.ElementTree xml.sax zipfile zlib
    zoneinfo
""".split()


class Module:
    """One module of the library, and its loader."""

    def __init__(self, name, file, source, package):
        self.name = name
        self.file = file
        self.package = package
        self.source = zlib.compress(source, 9)
        code = compile(source, file, "exec", dont_inherit=True)
        self.code = zlib.compress(marshal.dumps(code), 6)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(self.get_code(self.name), module.__dict__)

    def get_code(self, name):
        return marshal.loads(zlib.decompress(self.code))

    def get_source(self, name):
        return importlib.util.decode_source(zlib.decompress(self.source))

    def get_filename(self, name):
        return self.file

    def is_package(self, name):
        return self.package


class Program:
    """The loader that the program sees as its own."""

    def __init__(self, name, path, source):
        self.name = name
        self.path = path
        self.source = source

    def get_source(self, name):
        return importlib.util.decode_source(self.source)

    def get_filename(self, name):
        return self.path

    def is_package(self, name):
        return False


class Finder:
    """Finds what `modules` has, after the program's own directory was asked."""

    def __init__(self, modules):
        self.modules = modules

    def find_spec(self, name, path=None, target=None):
        module = self.modules.get(name)
        if module is None:
            return None
        spec = importlib.machinery.ModuleSpec(
            name, module, origin=module.file, is_package=module.package
        )
        spec.has_location = True
        spec.cached = None
        if module.package:
            spec.submodule_search_locations.append(os.path.dirname(module.file))
        return spec


def read(directory):
    """Every module below a directory, by its name."""
    modules = {}
    for parent, directories, files in os.walk(directory):
        inner = os.path.relpath(parent, directory)
        package = [] if inner == "." else inner.split("/")
        directories[:] = [d for d in directories if d not in LEFT_OUT and d.isidentifier()
                          and d not in ("tests", "__pycache__")]
        for file in files:
            stem, extension = os.path.splitext(file)
            if extension != ".py" or stem in LEFT_OUT:
                continue
            path = os.path.join(parent, file)
            with open(path, "rb") as source:
                text = source.read()
            parts = package if stem == "__init__" else [*package, stem]
            name = ".".join(parts)
            if not name or stem == "__main__":
                continue
            modules[name] = Module(
                name, PREFIX + path.removeprefix(directory), text, stem == "__init__"
            )
    return modules


def works(name):
    try:
        importlib.import_module(name)
    except BaseException:
        return False
    return True


def fill(directory):
    """Imports what is wanted, keeps what works, and returns the names of all that is there."""
    modules = read(directory)
    sys.meta_path.append(Finder(modules))
    sys.path.remove(directory)
    for name in IMPORTED:
        works(name)
    kept = set(sys.modules)
    for name in sorted(modules):
        if not works(name):
            del modules[name]
        for name in set(sys.modules) - kept:
            forget(name)
    return frozenset(modules) | set(sys.builtin_module_names)


def forget(name):
    del sys.modules[name]
    parent, _, child = name.rpartition(".")
    if parent in sys.modules:
        vars(sys.modules[parent]).pop(child, None)


AVAILABLE = fill("/python")
# Modules that were only tried have left their functions for the end of the program.
atexit._clear()
atexit.register(sys.modules["logging"].shutdown)
NAMES = frozenset(name.partition(".")[0] for name in AVAILABLE)

# Read out of the component by the build, for whoever has to know what a program may import, and what
# Python it is.
LIST = "\n".join(["atoll-modules-begin", *sorted(AVAILABLE), "atoll-modules-end"]).encode()
VERSION = f"atoll-version-begin\n{sys.version.split()[0]}\natoll-version-end".encode()
