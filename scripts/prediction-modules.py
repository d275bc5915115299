#!/usr/bin/env python3
"""Measures what importing each module of Python costs, and which other modules it loads.

Writes the table that programs are predicted by: a line for each module, with what it adds by
itself (anonymous memory in KiB, CPU time in microseconds), and the modules that it loads. Run it
with the interpreter that programs are run by, on a machine that has nothing else to do. Packages of
third parties are measured where a directory of `--packages` has them; all their own modules
together are one line.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

# What programs that name only the package use of it. It has a line of its own, with an asterisk.
USUAL = {
    "concurrent": ["concurrent.futures"],
    "http": ["http.client", "http.server"],
    "importlib": ["importlib.util"],
    "matplotlib": ["matplotlib.pyplot"],
    "multiprocessing": ["multiprocessing.pool"],
    "PIL": ["PIL.Image"],
    "scipy": ["scipy.stats"],
    "sklearn": ["sklearn.ensemble"],
    "urllib": ["urllib.request"],
    "wsgiref": ["wsgiref.simple_server"],
    "xml": ["xml.etree.ElementTree"],
    "xmlrpc": ["xmlrpc.client"],
    "email": ["email.message"],
    "django": ["django.db.models"],
}

# These do something when they are imported, or need a display.
LEFT_OUT = {"antigravity", "this", "idlelib", "tkinter", "turtle", "turtledemo", "lib2to3",
            "ensurepip", "venv", "pydoc_data", "nt", "winreg", "winsound", "msvcrt", "msilib"}

# Runs in a fresh interpreter. Memory is what the kernel counts as the process's own.
CHILD = """
import sys, time
sys.dont_write_bytecode = True
from importlib import _bootstrap
for place in reversed(sys.argv[2:]):
    sys.path.insert(0, place)
kept = open("/proc/self/smaps_rollup", "rb")
def memory():
    kept.seek(0)
    for line in kept.read().split(b"\\n"):
        if line.startswith(b"Anonymous:"):
            return int(line.split()[1])
stack, own, load = [], {}, _bootstrap._load_unlocked
def watched(spec):
    began = memory(), time.thread_time_ns()
    stack.append([0, 0])
    try:
        return load(spec)
    finally:
        took = memory() - began[0], (time.thread_time_ns() - began[1]) // 1000
        inner = stack.pop()
        own[spec.name] = took[0] - inner[0], took[1] - inner[1]
        if stack:
            stack[-1][0] += took[0]
            stack[-1][1] += took[1]
memory()
_bootstrap._load_unlocked = watched
for name in sys.argv[1].split(","):
    __import__(name)
_bootstrap._load_unlocked = load
import json
print("\\n" + json.dumps(own))
"""


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def once(name, places):
    """What was loaded for a module, each with its own cost; None where it cannot be imported."""
    names = ",".join(USUAL.get(name.rstrip("*"), [name]) if name.endswith("*") else [name])
    try:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, names, *places], capture_output=True, timeout=120,
            check=False, stdin=subprocess.DEVNULL,
        )
        return json.loads(done.stdout.decode().rsplit("\n", 2)[-2])
    except (ValueError, IndexError, subprocess.TimeoutExpired):
        return None


class Table:
    """What was measured so far."""

    def __init__(self, repeat):
        self.repeat = repeat
        self.costs = {}  # module: its own costs, one for each time that it was loaded
        self.loads = {}  # module: all modules that it loads

    def measure(self, name, places=(), package=None):
        loaded = set()
        for _ in range(self.repeat):
            own = once(name, places)
            if own is None:
                return
            whole = {}
            for module, (memory, cpu) in own.items():
                top = module.split(".")[0]
                # A package is one line.
                key = top if places and top not in sys.stdlib_module_names else module
                before = whole.get(key, (0, 0))
                whole[key] = before[0] + memory, before[1] + cpu
            if package and package not in whole:
                return
            for key, cost in whole.items():
                if not package or key == package or key not in self.loads:
                    self.costs.setdefault(key, []).append(cost)
            loaded |= set(whole)
        self.loads[name] = loaded - {name}
        if name.endswith("*") and not package:
            self.costs[name] = [(0, 0)]

    def joined(self):
        """The same with modules that always come together as one, by the shortest name."""
        classes, costs, loads = {}, {}, {}
        for name, others in self.loads.items():
            if name in self.costs:
                classes.setdefault(frozenset(others | {name}), []).append(name)
        best = {name: min(names, key=lambda it: (len(it), it))
                for names in classes.values() for name in names}
        for everything, names in classes.items():
            name = best[names[0]]
            costs[name] = [sum(statistics.median(cost[at] for cost in self.costs[it])
                               for it in names) for at in (0, 1)]
            loads[name] = {best[it] for it in everything if it in best} - {name}
            for other in names:
                if "." not in other and other != name:
                    costs[other], loads[other] = (0, 0), {name}
        return costs, loads

    def lines(self):
        costs, loads = self.joined()
        # Only what a program can name, and what that loads.
        named = {name for name in loads if "." not in name and not name.startswith("_")}
        reached = set()
        while reached != named:
            reached, named = named, named | {it for name in named for it in loads[name]}
        for name in sorted(named):
            memory, cpu = (max(0, round(cost)) for cost in costs[name])
            yield f"{name} {memory} {cpu} {','.join(shortened(name, loads)) or '-'}"


def shortened(name, loads):
    """Of what a module loads, only what is not loaded by another of these anyway."""
    rest, kept = set(loads[name]), []
    for module in sorted(rest, key=lambda it: (-len(loads[it]), it)):
        if module in rest:
            kept.append(module)
            rest.discard(module)
            if loads[module] | {module} < loads[name] | {name}:
                rest -= loads[module]
    return sorted(kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("crates/predict/src/table/python.txt"))
    parser.add_argument("--packages", action="append", default=[], metavar="DIRECTORY:NAMES")
    options = parser.parse_args()
    table = Table(options.repeat)
    names = sorted(set(sys.stdlib_module_names) - LEFT_OUT)
    for name in names:
        table.measure(name)
        if name in USUAL:
            table.measure(f"{name}*")
    say(f"{len(table.loads)} modules are measured")
    for name in sorted({it for loads in table.loads.values() for it in loads} - set(table.loads)):
        table.measure(name)
    say(f"{len(table.loads)} modules with those that they load")
    for package in options.packages:
        place, _, names = package.partition(":")
        for name in names.split(","):
            usual = f"{name}*" if name in USUAL else name
            table.measure(usual, [place] if place else [""], name)
            table.loads[name] = table.loads.pop(usual, set()) - {name}
            say(f"{name}: {'measured' if name in table.loads else 'cannot be imported'}")
    rest = {it for loads in table.loads.values() for it in loads} - set(table.loads)
    for name in sorted(rest):
        table.measure(name)
    header = "# module, its own memory in KiB, its own CPU time in us, what it loads\n"
    options.out.write_text(header + "\n".join(table.lines()) + "\n")
    say(f"wrote {options.out}")


if __name__ == "__main__":
    main()
