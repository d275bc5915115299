"""K-07: makes system calls of all numbers with garbage for arguments, each in a child of its own."""
import ctypes
import os
import random
import signal
from attempts import attempt, call, report

# As in k07_every_call, and those that would end or starve whoever counts: kill, setrlimit and
# prlimit64, the calls that queue a signal, tkill, tgkill, pidfd_send_signal, and setpriority.
LEFT_OUT = {15, 23, 34, 56, 57, 58, 60, 231, 270, 271, 62, 129, 141, 160, 200, 234, 297, 302, 424}
SUCCESS = 200
buffer = ctypes.create_string_buffer(1 << 16)
place = ctypes.addressof(buffer)
chance = random.Random(os.environ["SEED"])


def garbage():
    kind = chance.randrange(7)
    if kind == 0:
        return chance.randrange(16)
    if kind == 1:
        return place + chance.randrange(1 << 12)
    if kind == 2:
        return -chance.randrange(1, 200)
    if kind == 3:
        return 1 << chance.randrange(63)
    if kind == 4:
        return (place | 4095) - chance.randrange(8)
    if kind == 5:
        return chance.choice((0x7FFFFFFFF000, -(1 << 47), 0xFFFFFFFF, 0x7FFFFFFF))
    return chance.getrandbits(63)


def once(number, arguments, content):
    child = os.fork()
    if child:
        # Its own alarm does not end one that suspends itself with a mask of garbage.
        signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
        signal.alarm(3)
        _, status = os.waitpid(child, 0)
        signal.alarm(0)
        return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
    null = os.open("/dev/null", os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(1)
    ctypes.memmove(place, content, len(content))
    try:
        call(number, *arguments)
        os._exit(SUCCESS)
    except OSError as error:
        os._exit(min(error.errno, 199))


def many():
    worked = set()
    for _ in range(int(os.environ["CALLS"])):
        number = chance.choice((chance.randrange(470), chance.randrange(470), chance.randrange(470),
                                chance.randrange(470, 1 << 12), chance.getrandbits(31)))
        if number in LEFT_OUT:
            continue
        if once(number, [garbage() for _ in range(6)], chance.randbytes(4096)) == SUCCESS:
            worked.add(number)
    return " ".join(map(str, sorted(worked)))


attempt("those that worked", many)
attempt("a child after all of them", lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0))
report()
