#!/usr/bin/env python3
"""Runs programs with the real interpreter and in the runtime, and shows what differs.

    compare.py [--python python3] [--node node] [--runner COMMAND] RUNTIMES [NAME...]

RUNTIMES is a directory that scripts/build-runtimes.sh printed. COMMAND runs a program: its path and
arguments are appended, and `{component}` and `{language}` in it are replaced. By default it is the
example run-runtime of crates/wasm-worker. NAME selects programs by a part of their name.

The programs are those beside this script, in `python` and `javascript`, and those of the corpora in
corpora.py, which are fetched once. A program gets the files in `files`, arguments, standard input
and a variable; compared are its exit code, both streams and the files it leaves. What is expected to
differ is in expected.txt with its reason; the script fails when anything else does, or when something
that should differ does not. Python 3.13 began to mark more lines of a traceback with carets: with an
older python3 those marks are not compared.
"""

import argparse
import concurrent.futures
import difflib
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import corpora

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
INPUT = "first line\nsecond line, with \u20ac\nthird the the end\n".encode()
ARGUMENTS = ["one", "two words", "\u00e9"]
RUNNER = "run-runtime {component}"
PARTS = ("exit", "stdout", "stderr", "files")
# A line of carets and tildes below a line of a program.
MARKS = re.compile(rb"^ +[~^]+\n", re.MULTILINE)
MARKS_SINCE = 13
SECONDS_MAX = 120
LINES_SHOWN_MAX = 40


class Program:
    """One program, and the two commands that run it."""

    def __init__(self, language, path, real, runner, marks):
        self.name = f"{language}/{path.name}"
        self.path = path
        self.real = real
        self.runner = runner
        self.marks = marks

    def compare(self):
        """What each side did, for what they did differently."""
        left, right = run(self.real, self.path), run(self.runner, self.path)
        if not self.marks:
            for side in (left, right):
                for part in ("stdout", "stderr"):
                    side[part] = MARKS.sub(b"", side[part])
        return {part: (left[part], right[part]) for part in left if left[part] != right[part]}


def run(command, program):
    with tempfile.TemporaryDirectory() as directory:
        # Both see the same path in messages.
        shutil.copytree(HERE / "files", directory, dirs_exist_ok=True)
        shutil.copy(program, directory)
        environment = {"LANG": "C.UTF-8", "GREETING": "hello", "PATH": os.environ["PATH"]}
        try:
            done = subprocess.run(
                [*command, program.name, *ARGUMENTS], cwd=directory, input=INPUT,
                capture_output=True, env=environment, timeout=SECONDS_MAX,
            )
        except subprocess.TimeoutExpired:
            return {part: f"none within {SECONDS_MAX} seconds".encode() for part in PARTS}
        shutil.rmtree(pathlib.Path(directory, "__pycache__"), ignore_errors=True)
        shutil.rmtree(pathlib.Path(directory, "package/__pycache__"), ignore_errors=True)
        files = {
            str(file.relative_to(directory)): file.read_bytes()
            for file in sorted(pathlib.Path(directory).rglob("*")) if file.is_file()
        }
        seen = directory.encode()
    return {
        "exit": str(done.returncode).encode(),
        "stdout": done.stdout.replace(seen, b"/work"),
        "stderr": normal(done.stderr.replace(seen, b"/work")),
        "files": repr(files).encode(),
    }


def normal(text):
    """Without what differs between versions and places of the same interpreter."""
    text = re.sub(rb"/[\w./]*/python3\.\d+/", b"/usr/lib/python3/", text)
    text = re.sub(rb'(File "/usr/lib/python3/[^"]*", line )\d+', rb"\1N", text)
    text = re.sub(rb"\n    at [^\n]*\(?node:[^\n]*", b"", text)
    return re.sub(rb"Node\.js v[\d.]+", b"Node.js", text)


def expected():
    lines = (HERE / "expected.txt").read_text().splitlines()
    return dict(line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))


def marks(python):
    ask = [python, "-c", "import sys; print(sys.version_info[1])"]
    return int(subprocess.run(ask, check=True, capture_output=True).stdout) >= MARKS_SINCE


def programs(options):
    found = []
    same_marks = marks(options.python)
    for language, real in (("python", options.python), ("javascript", options.node)):
        component = str(options.runtimes.resolve() / f"{language}.wasm")
        runner = [
            part.replace("{component}", component).replace("{language}", language)
            for part in shlex.split(options.runner)
        ]
        own = sorted((HERE / language).iterdir())
        for path in own + corpora.programs(language, options.corpora):
            compared = language != "python" or same_marks
            found.append(Program(language, path, [real], runner, compared))
    return found


def default_runner():
    built = sorted(ROOT.glob("target/*/release/examples/run-runtime"))
    command = shlex.quote(str(built[0])) if built else "run-runtime"
    return RUNNER.replace("run-runtime", command, 1)


def differences(parts):
    for left, right in parts.values():
        texts = [side.decode("utf-8", "backslashreplace").splitlines() for side in (left, right)]
        lines = list(difflib.unified_diff(*texts, "real", "runtime", lineterm=""))
        yield from lines[:LINES_SHOWN_MAX]
        if len(lines) > LINES_SHOWN_MAX:
            yield f"... and {len(lines) - LINES_SHOWN_MAX} lines more"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", default="python3")
    parser.add_argument("--node", default="node")
    parser.add_argument("--runner", default=default_runner())
    parser.add_argument("--corpora", type=pathlib.Path, default=ROOT / "target/runtimes/corpora")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("runtimes", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    reasons, every = expected(), programs(options)
    stale = sorted(set(reasons) - {program.name for program in every})
    if stale:
        sys.exit(f"expected.txt names programs that are not there: {', '.join(stale)}")
    chosen = [
        program for program in every
        if not options.names or any(part in program.name for part in options.names)
    ]
    if not chosen:
        sys.exit(f"no program is named like {' or '.join(options.names)}")
    passed = failed = listed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for at, (program, parts) in enumerate(
            zip(chosen, pool.map(Program.compare, chosen)), start=1
        ):
            reason = reasons.get(program.name)
            place = f"[{at:3}/{len(chosen)}] {program.name}"
            if bool(parts) == bool(reason):
                passed += 1
                listed += bool(parts)
                print(f"{place}: differs, as listed: {reason}" if parts else f"{place}: same")
                continue
            failed += 1
            print(f"{place}: {'DIFFERS in ' + ', '.join(parts) if parts else 'IS THE SAME'}"
                  f"{f', but is listed: {reason}' if reason else ''}")
            for line in differences(parts):
                print(f"    {line}")
    print(f"{passed - listed} programs are the same, {listed} differ as listed")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(main())
