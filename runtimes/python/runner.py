"""Runs one program as `python3 PROGRAM ARGUMENTS` would, in an interpreter that is a snapshot.

Everything outside of `run` and `prepare` happens once, when the component is built: `library`
imports the standard library, and its memory becomes the component's initial memory. So whatever
depends on the moment (streams, environment, randomness, the working directory) is made anew in
`run`.

A run costs what it touches: each page of the initial memory that it is the first to read or write
is mapped or copied then. So all that can be is done in advance: a small program is rehearsed when
the component is built, which fills the interpreter's caches, and once more in `prepare`, by an
instance that waits. And a run must not walk over what the snapshot has much of: the modules.
"""

import library

import atexit
import gc
import io
import linecache
import os
import random
import sys
import types

import heap
import immortal
import loop
import stack
from wit_world.imports import environment, exit as wasi_exit

WORKING_DIRECTORY = "/work"

# As long Python's own were; by now they are 128 KiB, which would be much of an instance.
BUFFER_BYTES = 8192

# What python3 has imported before it reads the program; a file of the program's cannot come first.
STARTED_WITH = frozenset(
    "abc codecs encodings genericpath importlib io os posixpath site stat sys types zipimport".split()
)

# What most programs do, for the interpreter's caches.
REHEARSED_WHEN_BUILT = b"""
import sys
class Item:
    def __init__(self, value):
        self.value = value
def items(count):
    return [Item(value) for value in range(count)]
text = f"{sum(item.value for item in items(3))} {1.5:.2f} {len(sys.argv)}"
print(text, {"key": [1, (2,)]})
try:
    int("x")
except ValueError as error:
    text += str(error)
"""
TIMES_WHEN_BUILT = 30

# What every program does. An instance that waits keeps each page that this touches for itself, so
# more of it would make a run sooner still, and what waits larger.
REHEARSED_WHEN_PREPARED = b"print()"


class WitWorld:
    """What the component exports."""

    def prepare(self):
        """Does in advance what `run` does again, but for what it reads of the host."""
        environment.initial_cwd()
        rehearse(REHEARSED_WHEN_PREPARED)

    def run(self, program, name, arguments):
        """Runs the program to its end and returns its exit code."""
        directory = change_directory()
        start_environment(environment.get_environment())
        start_streams(standard)
        start_randomness()
        os._exit = leave_now
        file = os.path.join(directory, name)
        sys.argv[:] = [name, *arguments]
        sys.orig_argv[:] = ["python3", name, *arguments]
        sys.path[:] = [os.path.dirname(file)]
        forget_shadowed(sys.path[0])
        return finish(execute(program, file))


def change_directory():
    try:
        os.chdir(WORKING_DIRECTORY)
    except OSError:
        return "/"
    return WORKING_DIRECTORY


def start_environment(variables):
    # Not `update`, which asks at length what kind of mapping it was given.
    for name in list(os.environ):
        del os.environ[name]
    for name, value in variables:
        os.environ[name] = value


def start_streams(raw):
    locale = "C"
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if value := os.environ.get(name):
            locale = value
            break
    errors = "surrogateescape" if locale in ("C", "POSIX", "C.UTF-8", "C.utf8") else "strict"
    unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    sys.stdin = sys.__stdin__ = stream(raw(0, "<stdin>", "r"), "r", errors)
    sys.stdout = sys.__stdout__ = stream(
        raw(1, "<stdout>", "w"), "w", errors, write_through=unbuffered
    )
    sys.stderr = sys.__stderr__ = stream(
        raw(2, "<stderr>", "w"), "w", "backslashreplace", line_buffering=True,
        write_through=unbuffered,
    )


def standard(descriptor, name, mode):
    raw = io.FileIO(descriptor, mode + "b", closefd=False)
    raw.name = name
    return raw


def stream(raw, mode, errors, **options):
    buffered = io.BufferedReader if mode == "r" else io.BufferedWriter
    buffer = buffered(raw, BUFFER_BYTES)
    text = io.TextIOWrapper(buffer, "utf-8", errors, "\n" if mode == "w" else None, **options)
    text.mode = mode
    return text


def start_randomness():
    random.seed()
    for name, attribute in (("tempfile", "_name_sequence"), ("uuid", "_last_timestamp")):
        if name in sys.modules:
            setattr(sys.modules[name], attribute, None)


def leave_now(status):
    wasi_exit.exit_with_code(status & 0xFF)


def forget_shadowed(directory):
    """Lets the program's own `queue.py` come before the library's."""
    try:
        entries = os.listdir(directory)
    except OSError:
        return
    names = {entry.removesuffix(".py") for entry in entries}
    for name in library.NAMES & names - STARTED_WITH:
        for module in [m for m in sys.modules if m == name or m.startswith(name + ".")]:
            del sys.modules[module]


def execute(program, file):
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=file, __builtins__=sys.modules["builtins"], __cached__=None)
    main.__loader__ = library.Program("__main__", file, program)
    main.__annotations__ = {}
    # At the end, so that all that comes after it is the program's.
    sys.modules.pop("__main__", None)
    sys.modules["__main__"] = main
    lines = program.decode("utf-8", "replace").splitlines(keepends=True)
    # Without a time of change the entry stays, whether or not there is such a file.
    linecache.cache[file] = (len(program), None, lines, file)
    try:
        exec(compile(program, file, "exec", dont_inherit=True), main.__dict__)
    except SystemExit as end:
        return code_of(end)
    except BaseException as error:
        # The first frame is this one.
        report(error, error.__traceback__.tb_next)
        return 1
    return 0


def code_of(end):
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    try:
        sys.stdout.flush()
        print(end.code, file=sys.stderr)
    except Exception:
        pass
    return 1


def report(error, traceback):
    error.__traceback__ = traceback
    sys.last_exc = sys.last_value = error
    sys.last_type, sys.last_traceback = type(error), traceback
    try:
        sys.stdout.flush()
    except Exception:
        pass
    try:
        sys.excepthook(type(error), error, traceback)
    except SystemExit as end:
        code_of(end)
    except BaseException as second:
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(second), second, second.__traceback__.tb_next)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, traceback)


def finish(code):
    """What python3 does at its end: functions, streams, then the program's objects."""
    atexit._run_exitfuncs()
    flushed = flush()
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        if hasattr(sys, name):
            delattr(sys, name)
    forget_imported()
    # Collecting a file could close it before what is buffered for it was written.
    for kept in gc.get_objects():
        if isinstance(kept, (io.BufferedWriter, io.TextIOWrapper)) and not kept.closed:
            try:
                kept.flush()
            except Exception:
                pass
    kept = None
    gc.collect()
    return code if flush() and flushed else 120


def forget_imported():
    """Drops `__main__` and what was imported after it, but for the library that was there."""
    imported = []
    for name in reversed(sys.modules):
        if name not in MODULES_AT_START:
            imported.append(name)
        if name == "__main__":
            break
    for name in imported:
        del sys.modules[name]


def flush():
    flushed = True
    for name in ("stdout", "stderr"):
        file = getattr(sys, name, None)
        if file is None or getattr(file, "closed", False):
            continue
        try:
            file.flush()
        except Exception as error:
            flushed = False
            if name == "stdout":
                print(f"Exception ignored in: {file!r}", file=sys.stderr)
                print(f"{type(error).__name__}: {error}", file=sys.stderr)
    return flushed


class Nothing(io.RawIOBase):
    """A standard stream of a rehearsal: empty, and takes all there is."""

    def __init__(self, descriptor, name, mode):
        self.name = name
        self.mode = mode

    def readable(self):
        return self.mode == "r"

    def writable(self):
        return self.mode == "w"

    def readinto(self, buffer):
        return 0

    def write(self, data):
        return len(data)


def rehearse(program):
    """Runs a program with streams that lead nowhere, and forgets it."""
    file = "/rehearsal.py"
    start_environment([("LANG", "C.UTF-8")])
    start_streams(Nothing)
    random.seed(0)
    code = finish(execute(program, file))
    if code:
        raise SystemError(f"the rehearsal ended with {code}")
    start_environment([])
    del linecache.cache[file]
    atexit.register(sys.modules["logging"].shutdown)


loop.install()
stack.hide(__file__)
sys.modules.pop("__main__", None)
# What was found while building is not there any more, and much to take apart later.
sys.path_importer_cache.clear()
MODULES_AT_START = frozenset(sys.modules)
for _ in range(TIMES_WHEN_BUILT):
    rehearse(REHEARSED_WHEN_BUILT)
OBJECTS = immortal.listing()
gc.collect()
# Late, because what is made and freed after it leaves holes again: only what every instance makes.
HOLES = heap.fill()
rehearse(REHEARSED_WHEN_PREPARED)
gc.collect()
# Objects of the snapshot are nobody's garbage: collections need not look at them, or touch them.
gc.freeze()
