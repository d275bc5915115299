"""An interpreter that has started and waits for its program.

It runs inside the sandbox, with every restriction in force, before anything of a message is there.
Descriptor 3 is a socket to the supervisor, descriptor 4 a file in memory with the job.
"""

import os
import sys

CONTROL, JOB = 3, 4
CHUNK = 1 << 20


class Job:
    """Reads a job: numbers of 8 bytes, strings with their length before them."""

    def __init__(self):
        self.position = 0

    def bytes(self, length):
        parts = []
        while length > 0:
            part = os.pread(JOB, min(length, CHUNK), self.position)
            if not part:
                raise EOFError("the job is incomplete")
            parts.append(part)
            self.position += len(part)
            length -= len(part)
        return b"".join(parts)

    def number(self):
        return int.from_bytes(self.bytes(8), "little")

    def string(self):
        return self.bytes(self.number())

    def strings(self):
        return [self.string() for _ in range(self.number())]

    def place_file(self):
        name, mode, length = self.string(), self.number(), self.number()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(name, flags, mode)
        while length > 0:
            part = self.bytes(min(length, CHUNK))
            length -= len(part)
            while part:
                part = part[os.write(file, part) :]
        os.close(file)


def wait():
    """Says that it is ready, and waits for one byte; nobody is left to wait for when none comes."""
    os.write(CONTROL, b"R")
    if os.read(CONTROL, 1) != b"J":
        os._exit(0)


def receive():
    """Places the files and sets the scene; answers with the script's path and text."""
    job = Job()
    arguments, variables = job.strings(), job.strings()
    for _ in range(job.number()):
        job.place_file()
    for variable in variables:
        name, _, value = variable.partition(b"=")
        os.environb[name] = value
    script = os.fsdecode(arguments[0])
    sys.argv[:] = [script] + [os.fsdecode(argument) for argument in arguments[1:]]
    sys.orig_argv = [sys.executable] + sys.argv
    sys.path[0] = os.path.dirname(script)
    with open(script, "rb") as file:
        return script, file.read()


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
    sys.excepthook(type(error), error, error.__traceback__)
    sys.exit(1)


def run():
    try:
        script, source = receive()
    except OSError as error:
        os.write(CONTROL, b"F" + error.errno.to_bytes(4, "little"))
        os._exit(1)
    os.write(CONTROL, b"S")
    os.close(CONTROL)
    os.close(JOB)
    names = become(script)
    try:
        code = compile(source, script, "exec", dont_inherit=True)
    except Exception as error:
        fail(error, 1)
    try:
        exec(code, names)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        fail(error, 1)


# What a first program would have to wait for.
exec(compile("str([n for n in range(9)])", "<warm>", "exec"), {})
wait()
run()
