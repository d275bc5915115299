"""G-05: uses up namespaces and mounts."""
from attempts import apart, attempt, call, report


def repeatedly(action):
    """The first success counts; otherwise the last error."""
    last = None
    for _ in range(1000):
        try:
            action()
            return "ok"
        except OSError as error:
            last = error
    raise last


apart("a thousand namespaces", lambda: repeatedly(lambda: call(272, 1 << 28)))
apart("a thousand times all namespaces", lambda: repeatedly(lambda: call(272, 0x7E020000)))
apart("a thousand clones", lambda: repeatedly(lambda: call(56, (1 << 28) | 17, 0, 0, 0, 0)))
apart("a thousand mounts", lambda: repeatedly(lambda: call(165, b"none", b"/work", b"tmpfs", 0, 0)))
attempt("a thousand user ids", lambda: repeatedly(lambda: call(102)))
report()
