"""F-12: floods the kernel with watches on files, and asks for those that see every file."""
import os
from attempts import attempt, call, report

INOTIFY_INIT1, INOTIFY_ADD_WATCH, FANOTIFY_INIT, FANOTIFY_MARK = 294, 254, 300, 301


def flood():
    for _ in range(100_000):
        call(INOTIFY_INIT1, 0)


attempt("fanotify_init", lambda: call(FANOTIFY_INIT, 0, 0))
attempt("fanotify_mark", lambda: call(FANOTIFY_MARK, 0, 1, 2, -100, b"/usr"))
watcher = call(INOTIFY_INIT1, 0)
attempt("one watch", lambda: call(INOTIFY_ADD_WATCH, watcher, b"/work", 0xFFF))
os.close(watcher)
attempt("a hundred thousand watchers", flood)
report()
