#!/usr/bin/env python3
"""Runs every program here with the real interpreter and in the runtime, and shows what differs.

    compare.py [--python python3] [--node node] RUNTIMES RUN_RUNTIME [NAME...]

RUNTIMES is a directory that scripts/build-runtimes.sh printed, RUN_RUNTIME the example of that name
in crates/wasm-worker. A program gets the files in `files`, arguments, standard input and a variable;
compared are its exit code, both streams and the files it leaves. What is expected to differ is in
expected.txt with its reason; the script fails when anything else does, or when something that
should differ does not.
"""

import argparse
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
INPUT = "first line\nsecond line, with \u20ac\nthird the the end\n".encode()
ARGUMENTS = ["one", "two words", "\u00e9"]


def run(command, program, seconds):
    with tempfile.TemporaryDirectory() as directory:
        # Both see the same path in messages.
        shutil.copytree(HERE / "files", directory, dirs_exist_ok=True)
        shutil.copy(program, directory)
        environment = {"LANG": "C.UTF-8", "GREETING": "hello", "PATH": os.environ["PATH"]}
        done = subprocess.run(
            [*command, program.name, *ARGUMENTS],
            cwd=directory, input=INPUT, capture_output=True, env=environment, timeout=seconds,
        )
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", default="python3")
    parser.add_argument("--node", default="node")
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("runtimes", type=pathlib.Path)
    parser.add_argument("run_runtime")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    reasons, wrong, same = expected(), 0, 0
    for language, real in (("python", [options.python]), ("javascript", [options.node])):
        component = options.runtimes.resolve() / f"{language}.wasm"
        runtime = [os.path.abspath(options.run_runtime), str(component)]
        for program in sorted((HERE / language).iterdir()):
            name = f"{language}/{program.name}"
            if options.names and not any(part in name for part in options.names):
                continue
            left, right = run(real, program, 60), run(runtime, program, 120)
            parts = [part for part in left if left[part] != right[part]]
            if bool(parts) == (name in reasons):
                same += not parts
                if parts:
                    print(f"differs   {name}: {reasons[name]}")
            else:
                wrong += 1
                print(f"{'DIFFERS' if parts else 'IS SAME'}   {name} {' '.join(parts)}")
            for part in parts if not options.quiet and name not in reasons else ():
                texts = [side[part].decode("utf-8", "backslashreplace").splitlines()
                         for side in (left, right)]
                for line in difflib.unified_diff(*texts, "real", "runtime", lineterm=""):
                    print(f"    {line}")
    print(f"{same} the same, {wrong} not as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
