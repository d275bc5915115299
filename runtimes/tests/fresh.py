#!/usr/bin/env python3
"""Holds that instances share no randomness and no time, though all begin with the same memory.

    fresh.py [--runner COMMAND] RUNTIMES

Runs a program several times that prints what must differ each time, and one that prints whether its
clocks began with it. COMMAND is that of compare.py.
"""

import argparse
import pathlib
import shlex
import subprocess
import sys
import tempfile

import compare

RUNS = 4

DIFFERENT = {
    "python": """
import os, random, secrets, tempfile, uuid
print(random.random())
print(random.SystemRandom().random())
print(random.Random().random())
print(os.urandom(8).hex())
print(secrets.token_hex(8))
print(uuid.uuid1())
print(uuid.uuid4())
print(next(tempfile._get_candidate_names()))
""",
    "javascript": """
const crypto = require("crypto");
console.log(Math.random());
console.log(crypto.randomUUID());
console.log(crypto.randomBytes(8).toString("hex"));
console.log(crypto.randomInt(2 ** 40));
console.log(crypto.getRandomValues(new Uint32Array(2)).join());
""",
}

SAME = {
    "python": (
        """
import atexit, gc, sys, time
print(time.process_time() < 5, time.time() > 1.7e9)
print(sys.argv, sorted(name for name in globals() if not name.startswith("__")))
import json, linecache, logging
print(any("rehearsal" in name for name in linecache.cache), len(logging._handlerList))
""",
        "True True\n['program'] ['atexit', 'gc', 'sys', 'time']\nFalse 1\n",
    ),
    "javascript": (
        """
console.log(performance.now() < 5000, Math.abs(performance.timeOrigin - Date.now()) < 5000);
console.log(process.uptime() < 5, process.hrtime().length);
console.log(Object.keys(require.cache).length, require.main === module, module.id);
const map = new Map(Array.from({ length: 1000 }, (_, at) => [`key ${at}`, at]));
console.log(map.size, map.get("key 999"), map.delete("key 5"), map.has("key 5"));
""",
        "true true\ntrue 2\n1 true .\n1000 999 true false\n",
    ),
}


def output(options, language, program):
    component = str(options.runtimes.resolve() / f"{language}.wasm")
    runner = [
        part.replace("{component}", component).replace("{language}", language)
        for part in shlex.split(options.runner)
    ]
    with tempfile.TemporaryDirectory() as directory:
        pathlib.Path(directory, "program").write_text(program)
        done = subprocess.run(
            [*runner, "program"], cwd=directory, capture_output=True, text=True,
            timeout=compare.SECONDS_MAX,
        )
    if done.returncode:
        sys.exit(f"{language}: the program ended with {done.returncode}: {done.stderr}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runner", default=compare.default_runner())
    parser.add_argument("runtimes", type=pathlib.Path)
    options = parser.parse_args()
    passed = failed = 0
    for language, program in DIFFERENT.items():
        runs = [output(options, language, program).splitlines() for _ in range(RUNS)]
        for at, line in enumerate(program.strip().splitlines()[1:]):
            good = len({run[at] for run in runs}) == RUNS
            passed, failed = passed + good, failed + (not good)
            print(f"{language}: {line}: {'different each time' if good else 'THE SAME TWICE'}")
    for language, (program, wanted) in SAME.items():
        got = output(options, language, program)
        good = got == wanted
        passed, failed = passed + good, failed + (not good)
        print(f"{language}: begins afresh{'' if good else f': NO, it printed {got!r}'}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
