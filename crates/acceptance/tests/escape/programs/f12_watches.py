"""F-12: floods the kernel with watches, and asks for those that see what others do with files."""
import fcntl
import os
from attempts import attempt, call, report

INOTIFY_INIT1, INOTIFY_ADD_WATCH, FANOTIFY_INIT, FANOTIFY_MARK = 294, 254, 300, 301
F_SETLEASE, F_NOTIFY = 1024, 1026


def flood():
    for _ in range(100_000):
        call(INOTIFY_INIT1, 0)


attempt("fanotify_init", lambda: call(FANOTIFY_INIT, 0, 0))
attempt("fanotify_mark", lambda: call(FANOTIFY_MARK, 0, 1, 2, -100, b"/usr"))
attempt("one watcher", lambda: call(INOTIFY_INIT1, 0))
attempt("one watch", lambda: call(INOTIFY_ADD_WATCH, 0, b"/usr", 0xFFF))
attempt("a hundred thousand watchers", flood)
attempt("a signal at each access", lambda: fcntl.fcntl(os.open("/usr", os.O_RDONLY), F_NOTIFY, 1))
attempt("a lease", lambda: fcntl.fcntl(os.open("/usr/bin/env", os.O_RDONLY), F_SETLEASE, 0))
report()
