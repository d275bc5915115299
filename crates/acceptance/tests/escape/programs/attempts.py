"""What the attack programs share: trying things, and saying what came of each.

Every program prints a line of JSON: each attempt by its name, with "ok", the name of the error,
"signal N", or what was seen. The test judges; a program only reports. When the variable ONLY names
an attempt, no other is made: so one that is known to be harmless can be made with a layer missing.
With a variable NEIGHBOUR another sandbox starts beside this one before anything is tried.
"""
import ctypes
import errno
import json
import os
import sys

ONLY = os.environ.get("ONLY")
MARKER, CANARY, PORT, ABSTRACT, HOST_PROCESS = sys.argv[1:6]
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_seen = {}
# What a neighbour says of itself; it starts after the first line of output.
neighbour = {"process": 0}
if "NEIGHBOUR" in os.environ:
    print(json.dumps({"attempts": {}}), flush=True)
    neighbour = json.loads(sys.stdin.readline())


def call(number, *arguments):
    """A system call by its number; bytes and buffers are passed as pointers."""
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    result = _libc.syscall(ctypes.c_long(number), *words)
    if result == -1:
        raise OSError(ctypes.get_errno(), "failed")
    return result


def descriptor_of(process):
    """Of a process; one that is nobody's where the kernel has no descriptors of processes."""
    try:
        return call(434, process, 0)
    except OSError:
        return -1


def outcome(action):
    try:
        seen = action()
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)
    except Exception as error:
        return type(error).__name__
    return seen if isinstance(seen, str) else "ok"


def wanted(name):
    return ONLY in (None, name)


def attempt(name, action):
    if not wanted(name):
        return
    _seen[name] = outcome(action)


def apart(name, action):
    """Attempts in a child of its own what may end whoever tries."""
    if not wanted(name):
        return
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, outcome(action).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    _seen[name] = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else said


def begin(name):
    """Says beforehand that something is attempted from which there may be no return."""
    if wanted(name):
        print(json.dumps({"attempts": {name: "begun"}}), flush=True)


def report():
    print(json.dumps({"attempts": _seen}), flush=True)
