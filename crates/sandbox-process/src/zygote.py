"""An interpreter that forks copies of itself, each of which waits for one program.

The original runs nothing of anybody's. A copy has every restriction in force before anything of a
message is there: descriptor 3 is its socket to the supervisor, descriptor 4 a file in memory with
its job. In the original, 4 is the library that makes and confines the copies, and 5 a job of
Atoll's own.

The first argument says whether it is such an original (`copies`), or waits for a program itself
where another boundary confines it (`alone`); the others name modules to import.
"""

import _imp
import _signal
import _weakref
import atexit
import gc
import os
import sys

CONTROL, JOB, REHEARSAL = 3, 4, 5
# The exit status that shells have for it.
INTERRUPTED = 130
LIBRARY = "/proc/self/fd/4"
CHUNK = 1 << 20
# What is said of the kernel's count of reads and writes, in bytes.
COUNT_BYTES = 128
# Writes out what C code has printed; only code that the ctypes module calls does that.
flush_c = None


def read(job, position, length):
    """Reads a part of a job that fits into memory."""
    parts = []
    while length > 0:
        part = os.pread(job, min(length, CHUNK), position)
        if len(part) == length and not parts:
            return part
        if not part:
            raise EOFError("the job is incomplete")
        parts.append(part)
        position += len(part)
        length -= len(part)
    return b"".join(parts)


def place(name, mode, job, position, length):
    """Places one of the job's files into the working directory."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(name, flags, mode)
    while length > 0:
        part = read(job, position, min(length, CHUNK))
        position += len(part)
        length -= len(part)
        while part:
            part = part[os.write(file, part) :]
    os.close(file)


def wait():
    """Says that it is ready and waits for a byte: to rehearse, to draw random numbers anew, or
    because there is a job. Nobody is left to wait for when none comes.
    """
    while True:
        os.write(CONTROL, b"R")
        word = os.read(CONTROL, 1)
        if word == b"J":
            return
        if word == b"P":
            rehearse(JOB)
        elif word == b"D":
            draw_anew()
        else:
            os._exit(0)


def receive(job):
    """Places the files of a job and sets the scene; answers with the script's path and text.

    A job is 8 bytes, how long its head is, the head and the files. The head is made of strings with
    a zero byte between them: numbers say how many of a kind follow.
    """
    length = int.from_bytes(read(job, 0, 8), "little")
    take = iter(read(job, 8, length).split(b"\0")).__next__
    arguments = [take() for _ in range(int(take()))]
    variables = [take() for _ in range(int(take()))]
    position = 8 + length
    own = os.path.basename(arguments[0])
    for _ in range(int(take())):
        name, mode, length = take(), int(take()), int(take())
        place(name, mode, job, position, length)
        if name == own:
            source = read(job, position, length)
        position += length
    for variable in variables:
        name, _, value = variable.partition(b"=")
        os.environb[name] = value
    script = os.fsdecode(arguments[0])
    sys.argv[:] = [script] + [os.fsdecode(argument) for argument in arguments[1:]]
    sys.orig_argv = [sys.executable] + sys.argv
    sys.path[0] = os.path.dirname(script)
    if "PYTHONPATH" in os.environ:
        sys.path[1:1] = os.environ["PYTHONPATH"].split(":")
    return script, source


def become(script):
    """Makes the module that the program is to be."""
    loader = sys.modules["_frozen_importlib_external"].SourceFileLoader
    main = type(sys)("__main__")
    if "__annotations__" in globals():
        main.__annotations__ = {}
    main.__builtins__ = sys.modules["builtins"]
    main.__loader__ = loader("__main__", script)
    main.__file__ = script
    main.__cached__ = None
    sys.modules["__main__"] = main
    return main.__dict__


def fail(error, frames):
    """Reports an error that the program did not catch, without the frames above the program."""
    for _ in range(frames):
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
    sys.last_type, sys.last_value = type(error), error
    sys.last_traceback = error.__traceback__
    sys.excepthook(type(error), error, error.__traceback__)
    return 1


def leave(value):
    """The exit status for what a program passed to sys.exit."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value & 0xFF if -(1 << 63) <= value < 1 << 63 else 0xFF
    if sys.stderr is not None:
        sys.stderr.write(str(value) + "\n")
    return 1


def execute(script, source):
    """Runs the program; answers with its exit status."""
    names = become(script)
    try:
        code = compile(source, script, "exec", dont_inherit=True)
    except Exception as error:
        return fail(error, 1)
    try:
        exec(code, names)
    except SystemExit as error:
        return leave(error.code)
    except KeyboardInterrupt as error:
        fail(error, 1)
        return INTERRUPTED
    except BaseException as error:
        return fail(error, 1)
    return 0


def open_count():
    """What the kernel counts of this process, opened before anybody waits for it."""
    try:
        return os.open("/proc/self/io", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def count():
    """What this process has read and written so far, so that it is not taken for the program's."""
    text = b""
    if COUNT is not None:
        try:
            text = os.pread(COUNT, COUNT_BYTES, 0)
        except OSError:
            # Nobody counts then.
            pass
        os.close(COUNT)
    return text.ljust(COUNT_BYTES)


def run():
    try:
        script, source = receive(JOB)
    except OSError as error:
        os.write(CONTROL, b"F" + error.errno.to_bytes(4, "little"))
        os._exit(1)
    os.write(CONTROL, b"S" + count())
    os.close(CONTROL)
    os.close(JOB)
    status = execute(script, source)
    end(status)


def needs_whole_end(name):
    """Whether a module may have left something to native code that runs when the process ends."""
    file = getattr(sys.modules[name], "__file__", None) or ""
    return name == "_ctypes" or (file.endswith(".so") and "/lib-dynload/" not in file)


def end(status):
    """Ends the program as an interpreter does, but lets go only of what the program made: taking
    apart what all copies share would copy most of its memory first.
    """
    new = [name for name in sys.modules if name not in KNOWN]
    if any(map(needs_whole_end, new)):
        sys.exit(status)
    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()
    atexit._run_exitfuncs()
    flush(status)
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        if hasattr(sys, name):
            setattr(sys, name, None)
    take_apart([sys.modules.pop(name, None) for name in new + ["__main__"]])
    flush(status)
    if flush_c:
        flush_c(None)
    if status == INTERRUPTED:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
        try:
            os.kill(os.getpid(), _signal.SIGINT)
        except OSError:
            # Not among its system calls; the status says the same.
            pass
    os._exit(status)


def take_apart(modules):
    """Lets go of modules that the program made, its own among them. Empties the list."""
    references = [_weakref.ref(module) for module in modules if isinstance(module, type(sys))]
    modules.clear()
    collect()
    for reference in reversed(references):
        module = reference()
        if module is not None:
            clear(module.__dict__)


def flush(status):
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except BaseException:
            # The whole end reports it in its own way.
            sys.exit(status)


def clear(names):
    """Lets go of what a module holds that others still hold: what looks private first."""
    for private in (True, False):
        for name in list(names):
            is_private = name[:1] == "_" and name[1:2] != "_"
            if is_private == private and name != "__builtins__":
                names[name] = None


def import_ahead(modules):
    """Imports what the programs to come will import first. One that is not there is theirs to miss.
    Variables that keep libraries from starting threads have done their work then.
    """
    global flush_c
    for module in modules:
        try:
            __import__(module)
        except ImportError:
            pass
    for variable in list(os.environb):
        if variable.endswith(b"_NUM_THREADS"):
            del os.environb[variable]
    if "ctypes" in sys.modules:
        flush_c = sys.modules["ctypes"].CDLL(None).fflush


def draw_anew():
    """Gives a copy random numbers of its own where Python itself does not."""
    for name in ("random", "numpy.random"):
        if name in sys.modules:
            sys.modules[name].seed()


def rehearse(job):
    """Goes all the way that a program goes, so that memory it writes to first is ready in each copy
    and nobody waits for that. Nothing is seen of it later.
    """
    path, main = sys.path[:], sys.modules["__main__"]
    null, outputs = os.open("/dev/null", os.O_WRONLY), (1, 2)
    kept = [os.dup(output) for output in outputs]
    for output in outputs:
        os.dup2(null, output)
    script, source = receive(job)
    execute(script, source)
    flush(0)
    modules, sys.modules["__main__"] = [sys.modules["__main__"]], main
    take_apart(modules)
    for output, copy in zip(outputs, kept):
        os.dup2(copy, output)
        os.close(copy)
    os.close(null)
    os.unlink(script)
    sys.path[:] = path


def fork():
    """Returns in every copy, once it is confined; never in the original."""
    specification = type(sys)("specification")
    specification.name, specification.origin = "atoll_zygote", LIBRARY
    try:
        _imp.create_dynamic(specification)
    except SystemError:
        # What a copy is told: there is no module of that name.
        pass


is_alone = sys.argv[1] == "alone"
import_ahead(sys.argv[2:])
collect = gc.collect
os.chdir("/work")
if not is_alone:
    rehearse(REHEARSAL)
    os.chdir("/")
    os.close(REHEARSAL)
collect()
gc.freeze()
del sys.modules["gc"], sys.modules["atexit"], gc
KNOWN = frozenset(sys.modules)
if not is_alone:
    fork()
    draw_anew()
COUNT = open_count()
wait()
run()
