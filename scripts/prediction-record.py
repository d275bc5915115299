#!/usr/bin/env python3
"""Runs every program of the corpus, at every size, and writes down what it took.

One run after the other, at the level process, under limits that are the same for all. It resumes
where it stopped: runs that are written down already are not made again.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILT = sorted((HERE.parent / "target").glob("*-linux-*/release/atoll"))
QUANTILES = (10, 50, 90, 99, 100)


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def warm(directories):
    """Reads files once. Whoever is first to read a file has its pages counted as its memory."""
    for directory in directories:
        for path in directory.rglob("*"):
            if path.is_file() and path.suffix in (".py", ".pyc", ".so", ".json", ".ttf"):
                path.read_bytes()


def command(atoll, line, size, root, seconds):
    words = [atoll, "--state-dir", str(root / "state"), "run", "--level", "process", "--json",
             "--policy", str(HERE / "prediction-corpus" / "policy.toml"),
             "--timeout", f"{seconds}s"]
    for file in line["files"]:
        words += ["--input", str(root / file)]
    for name, value in line["environment"].items():
        words += ["--env", f"{name}={value}"]
    if line["dependencies"]:
        words += ["--dependencies", str(root / line["dependencies"])]
    arguments = size["arguments"] if size else line["arguments"]
    return [*words, str(root / line["program"]), *arguments]


def run(atoll, line, size, root, seconds):
    done = subprocess.run(
        command(atoll, line, size, root, seconds), input=(size or {}).get("stdin", "").encode(),
        capture_output=True, check=False,
    )
    try:
        outcome = json.loads(done.stdout)
    except ValueError:
        outcome = {"status": "failed", "reason": done.stderr.decode(errors="replace")[-500:]}
    usage = outcome.get("usage") or {}
    entry = {
        "id": line["id"],
        "source": line["source"],
        "group": line["group"],
        "size": size["name"] if size else None,
        "status": outcome["status"],
        "exit_code": outcome.get("exit_code"),
        "limit": (outcome.get("limit") or {}).get("name"),
        "cpu_time_us": usage.get("cpu_time_us"),
        "memory_peak_bytes": usage.get("memory_peak_bytes"),
        "disk_bytes": usage.get("disk_bytes"),
        "output_bytes": usage.get("output_bytes"),
        "wall_time_us": usage.get("wall_time_us"),
    }
    if outcome["status"] != "exited" or outcome["exit_code"] != 0:
        said = (outcome.get("stderr") or "").strip().splitlines()
        entry["reason"] = (outcome.get("reason") or (said[-1] if said else ""))[:200]
    return entry


def record(options, lines, root):
    path = root / "runs.jsonl"
    made = {}
    if path.exists():
        for text in path.read_text().splitlines():
            entry = json.loads(text)
            key = (entry["id"], entry["size"])
            made[key] = made.get(key, 0) + 1
    todo = [(line, size) for line in lines for size in line["sizes"] or [None]]
    todo = [(line, size) for line, size in todo
            for _ in range(options.repeat - made.get((line["id"], size and size["name"]), 0))]
    say(f"{len(todo)} runs to make, {sum(made.values())} are written down")
    directories = {root / line["dependencies"] for line, _ in todo if line["dependencies"]}
    warm([*directories, *options.warm])
    began = time.monotonic()
    with open(path, "a", encoding="utf-8") as file:
        for number, (line, size) in enumerate(todo, 1):
            file.write(json.dumps(run(options.atoll, line, size, root, options.seconds)) + "\n")
            file.flush()
            if number % 50 == 0 or number == len(todo):
                spent = time.monotonic() - began
                say(f"{number} of {len(todo)} runs, {spent:.0f} s, last: {line['id']}")


def good(entry):
    return entry["status"] == "exited" and entry["exit_code"] == 0


def quantiles(values):
    values = sorted(values)
    return [values[min(len(values) - 1, len(values) * q // 100)] for q in QUANTILES]


def report(entries):
    """What was written down, by source: to standard output, as a table of Markdown."""
    names = [f"p{q}" for q in QUANTILES[:-1]] + ["max"]
    print("| source | programs | exit 0 | runs | exit 0 | groups | memory MiB "
          f"{'/'.join(names)} | CPU ms {'/'.join(names)} | over 1 s |")
    print("|---|---|---|---|---|---|---|---|---|")
    sources = sorted({entry["source"] for entry in entries})
    for source in [*sources, None]:
        some = [entry for entry in entries if source in (entry["source"], None)]
        well = [entry for entry in some if good(entry)]
        if not well:
            programs = len({entry["id"] for entry in some})
            print(f"| {source} | {programs} | 0 | {len(some)} | 0 | | | | |")
            continue
        memory = quantiles(entry["memory_peak_bytes"] / 2**20 for entry in well)
        cpu = quantiles(entry["cpu_time_us"] / 1000 for entry in well)
        cells = [
            source or "**all**",
            len({entry["id"] for entry in some}),
            len({entry["id"] for entry in well}),
            len(some),
            len(well),
            len({entry["group"] for entry in well}),
            " / ".join(f"{value:.1f}" for value in memory),
            " / ".join(f"{value:.0f}" for value in cpu),
            sum(entry["cpu_time_us"] > 1_000_000 for entry in well),
        ]
        print("| " + " | ".join(map(str, cells)) + " |")


def steady(entries):
    """Whether runs of one size needed about the same memory: within a quarter, or 4 MiB."""
    by_size = {}
    for entry in entries:
        by_size.setdefault(entry["size"], []).append(entry["memory_peak_bytes"])
    return all(max(some) - min(some) <= max(min(some) // 4, 4 << 20) for some in by_size.values())


def exclude(entries, path, seconds):
    """Adds the programs none of whose runs came to a good end in time to those left out."""
    excluded = json.loads(path.read_text())
    by_program = {}
    for entry in entries:
        by_program.setdefault(entry["id"], []).append(entry)
    for identity, some in by_program.items():
        well = [entry for entry in some if good(entry)]
        entry = some[-1]
        if any(entry["wall_time_us"] < seconds * 1_000_000 for entry in well):
            if steady(well):
                continue
            reason = "needs another amount of memory in each run"
        elif good(entry) or entry["limit"] in ("wall-time", "cpu-time"):
            reason = f"takes more than {seconds} s"
        elif entry["limit"]:
            reason = f"reaches the limit {entry['limit']}"
        elif entry["status"] == "exited":
            reason = f"ends with the code {entry['exit_code']}"
            # The name of the exception, and nothing else of what a program says.
            named = re.match(r"[\w.]*(Error|Exception|SkipTest)\b", entry["reason"])
            reason += f": {named[0]}" if named else ""
        else:
            reason = f"does not run to its end: {entry['status']}"
        excluded[identity] = reason
    path.write_text(json.dumps(excluded, indent=2, sort_keys=True) + "\n")
    say(f"{len(excluded)} programs are left out: {path.name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=HERE.parent / "target" / "corpus")
    parser.add_argument("--atoll", default=str(BUILT[0]) if BUILT else "atoll",
                        help="the command that is measured")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each program and size")
    parser.add_argument("--seconds", type=int, default=60, help="limit on a run's time")
    parser.add_argument("--source", action="append", help="only this one; more than once")
    parser.add_argument("--warm", type=Path, action="append", default=[],
                        help="a directory that programs read from, such as the interpreter's")
    parser.add_argument("--report", action="store_true", help="only say what is written down")
    parser.add_argument("--exclude", type=int, metavar="SECONDS",
                        help="leave out, from now on, what failed or took longer")
    options = parser.parse_args()
    root = options.root.resolve()
    with open(root / "manifest.jsonl", encoding="utf-8") as file:
        lines = [json.loads(text) for text in file]
    if options.source:
        lines = [line for line in lines if line["source"] in options.source]
    if not options.report and options.exclude is None:
        record(options, lines, root)
    with open(root / "runs.jsonl", encoding="utf-8") as file:
        entries = [json.loads(text) for text in file]
    if options.exclude is not None:
        exclude(entries, HERE / "prediction-corpus" / "excluded.json", options.exclude)
    report(entries)


if __name__ == "__main__":
    main()
