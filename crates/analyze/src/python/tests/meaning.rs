//! Dependencies, capabilities and calls out of the program, however they are spelled.

use Capability::*;
use atoll_types::DependencySource;

use super::*;

fn assert_has(text: &str, capability: Capability) {
    let found = capabilities(text);
    assert!(
        found.contains(&capability),
        "{capability:?} not in {found:?}: {text}"
    );
}

#[test]
fn dependencies_are_told_apart() {
    let text = "
from __future__ import annotations
import os.path, json as j
import numpy as np
from . import helper
from .pkg.mod import thing
__import__('requests')
import importlib
importlib.import_module('xml.dom')
importlib.import_module('.near', 'pkg')
";
    let found: Vec<_> = understood(text)
        .dependencies
        .into_iter()
        .map(|dependency| (dependency.name, dependency.source))
        .collect();
    let expected = [
        ("helper", DependencySource::Local),
        ("importlib", DependencySource::StandardLibrary),
        ("json", DependencySource::StandardLibrary),
        ("near", DependencySource::Local),
        ("numpy", DependencySource::ThirdParty),
        ("os", DependencySource::StandardLibrary),
        ("pkg", DependencySource::Local),
        ("requests", DependencySource::ThirdParty),
        ("xml", DependencySource::StandardLibrary),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(name, source)| (name.to_owned(), source))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn plain_programs_have_no_capabilities() {
    for text in [
        "print('hello')",
        "import json, sys\nprint(json.dumps(sys.argv))",
        "import re, math, collections\nprint(re.compile('a').match('a'), math.pi)",
        "import os\nprint(os.path.join('a', 'b'), os.sep)",
        "import itertools\nfor a in itertools.chain(x, y): print(a)",
        "def compile(x): return x\nclass A:\n def eval(self): return self.open()\nA().eval()",
        "x = getattr(y, 'name', None)\nsetter = y.open",
        "import datetime\nprint(datetime.timedelta(days=1), datetime.date(2020, 1, 1))",
        "import pickle\npickle.dumps(1)",
    ] {
        assert_eq!(understood(text).capabilities, BTreeSet::new(), "{text}");
    }
}

#[test]
fn capabilities_are_found() {
    for (text, capability) in [
        ("open('a')", FilesRead),
        ("open('a', 'w')", FilesWrite),
        ("open('a', mode='ab')", FilesWrite),
        ("open('a', mode)", FilesWrite),
        ("open(*a)", FilesWrite),
        ("f = open", FilesWrite),
        ("import os\nos.listdir('.')", FilesRead),
        ("import os\nos.remove('a')", FilesWrite),
        ("from pathlib import Path\nPath('a').read_text()", FilesRead),
        (
            "from pathlib import Path\np = Path('a')\np.write_text('b')",
            FilesWrite,
        ),
        (
            "from pathlib import Path\nfor p in Path('a').iterdir(): p.unlink()",
            FilesWrite,
        ),
        ("import shutil\nshutil.rmtree('a')", FilesWrite),
        ("import socket", Network),
        ("import urllib.request", Network),
        ("from http import client", Network),
        ("import requests", Network),
        ("import subprocess", Processes),
        ("import os\nos.fork()", Processes),
        ("import multiprocessing", Processes),
        ("import threading", Threads),
        ("from concurrent.futures import ThreadPoolExecutor", Threads),
        ("eval(x)", DynamicCode),
        ("import importlib\nimportlib.import_module(x)", DynamicCode),
        ("import ctypes", NativeCode),
        ("import os\nos.environ['A']", Environment),
        ("import os\nprint(os.getenv('A'))", Environment),
        ("import time\ntime.time()", Time),
        ("from datetime import datetime\ndatetime.now()", Time),
        ("import random", Randomness),
        ("import uuid\nuuid.uuid4()", Randomness),
        ("import platform", SystemInformation),
        ("import os\nos.uname()", SystemInformation),
        ("import os\nos.setuid(0)", SystemChange),
        ("import pickle\npickle.loads(x)", UnsafeDeserialization),
        ("import yaml\nyaml.load(x)", UnsafeDeserialization),
        ("().__class__.__base__.__subclasses__()", Introspection),
        ("f.__globals__", Introspection),
        ("getattr(f, '__co' + 'de__')", Introspection),
        ("import sys\nsys._getframe()", Introspection),
        ("import gc", Introspection),
    ] {
        assert_has(text, capability);
    }
}

#[test]
fn reading_is_not_writing() {
    for text in [
        "open('a')",
        "open('a', 'rb')",
        "import gzip\ngzip.open('a', 'rt')",
        "from pathlib import Path\nPath('a').open().read()",
        "mode = 'r'\nopen('a', mode)",
        "import io\nio.open('a')",
    ] {
        assert_eq!(
            understood(text).capabilities,
            BTreeSet::from([FilesRead]),
            "{text}"
        );
    }
    assert_eq!(
        understood("open('a', 'w')").capabilities,
        BTreeSet::from([FilesWrite])
    );
}

/// Ways to call `os.system` that do not say so plainly.
const DISGUISES: &[&str] = &[
    "import os\nos.system('x')",
    "import os as o\no.system('x')",
    "from os import system as s\ns('x')",
    "from os import *\nsystem('x')",
    "import os\nf = os.system\nf('x')",
    "import os\na = b = os\nb.system('x')",
    "import os\na, b = os, 1\na.system('x')",
    "import os\n(o := os).system('x')",
    "import os\ngetattr(os, 'system')('x')",
    "import os\ngetattr(os, 'sys' + 'tem')('x')",
    "import os\ngetattr(os, 'metsys'[::-1])('x')",
    "import os\ngetattr(os, ''.join(['s', 'ystem']))('x')",
    "import os\ngetattr(os, ''.join(map(chr, [115, 121, 115, 116, 101, 109])))('x')",
    "import os\na = 'sys'\nb = f'{a}tem'\ngetattr(os, b)('x')",
    "import os\nos.__dict__['system']('x')",
    "import os\nvars(os)['system']('x')",
    "import os\nvars(os).get('system')('x')",
    "__import__('os').system('x')",
    "__builtins__.__import__('os').system('x')",
    "import builtins as b\nb.__import__('o' + 's').system('x')",
    "import importlib\nimportlib.import_module('os').system('x')",
    "from importlib import import_module as i\ni('os').system('x')",
    "import sys\nsys.modules['os'].system('x')",
    "import os\nglobals()['os'].system('x')",
    "import random\nrandom._os.system('x')",
    "from logging import os\nos.system('x')",
    "import posix\nposix.system('x')",
    "import functools, os\nfunctools.partial(os.system, 'x')()",
    "import os\n(os if x else os).system('x')",
    "import os\n(None or os).system('x')",
    "import ｏｓ\nｏｓ.ｓystem('x')",
    "exec('import os; os.system(1)')",
    "exec('import os')\nos.system('x')",
    "eval('__import__(\"os\").system(1)')",
    "exec('exec(\"import os\\\\nos.system(1)\")')",
];

#[test]
fn disguises_are_seen_through() {
    for text in DISGUISES {
        let analysis = understood(text);
        assert!(analysis.capabilities.contains(&Processes), "{text}");
        assert!(
            analysis.host_calls.contains("os.system"),
            "{text}: {:?}",
            analysis.host_calls
        );
    }
}

#[test]
fn a_module_that_is_handed_around_can_do_all_it_offers() {
    for text in [
        "import os\nf(os)",
        "import os\nx = [os]\nx[0].system('x')",
        "import os\ndef f(o=os): o.system('x')",
        "import os\nclass A:\n o = os\nA.o.system('x')",
        "class A:\n import os\nA.os.system('x')",
        "import os\nself.os = os",
        "import os\ndef f(): return os",
        "import os\nfor o in (os,): o.system('x')",
        "import os\nfs = [os.system]\nfs[0]('x')",
        "import os\nclass A:\n __class_getitem__ = os.system\nA['x']",
    ] {
        assert_has(text, Processes);
    }
}

#[test]
fn what_cannot_be_understood_is_said() {
    for (text, line, message) in [
        ("\nexec(x)", 2, "text that it computes"),
        ("eval(input())", 1, "text that it computes"),
        ("import os\ngetattr(os, x)", 2, "computed name"),
        ("__import__(x)", 1, "imported module is computed"),
        (
            "import importlib\nimportlib.import_module(x)",
            2,
            "imported module is computed",
        ),
        ("from numpy import *", 1, "third-party module numpy"),
        ("from .near import *", 1, "local module"),
        ("f = exec\nf(x)", 2, "text that it computes"),
        ("f = [exec]\nf[0](x)", 1, "exec is handed around"),
        ("@exec\n@input\nclass A: pass", 1, "exec is handed around"),
        ("globals()[x]()", 1, "computed key"),
        ("import sys\nsys.modules[x].f()", 2, "computed key"),
        (
            "import builtins\nf(builtins)",
            2,
            "builtins is handed around",
        ),
        ("f.__globals__['os']", 1, "__globals__ leads to everything"),
        (
            "x = getattr(f, '__glo' + 'bals__')",
            1,
            "__globals__ leads to everything",
        ),
        ("exec('if')", 1, "text that it computes"),
    ] {
        let problem = first_problem(text);
        assert_eq!(problem.0, Some(line), "{text}: {problem:?}");
        assert!(problem.1.contains(message), "{text}: {problem:?}");
    }
}

#[test]
fn calls_out_of_the_program_are_listed() {
    let text = "
import os, subprocess, socket, ctypes, time
open('a')
os.environ.get('A')
subprocess.run(['ls'])
s = socket.socket(socket.AF_INET)
s.connect(('h', 1))
ctypes.CDLL('c')
time.sleep(1)
";
    assert_eq!(
        host_calls(text),
        [
            "ctypes.CDLL",
            "open",
            "os.environ.get",
            "socket.socket",
            "subprocess.run",
            "time.sleep"
        ]
    );
}

#[test]
fn annotations_name_but_do_not_use() {
    let text = "from pathlib import Path\ndef f(a: Path, b: list[Path]) -> Path: pass";
    assert_eq!(understood(text).capabilities, BTreeSet::from([FilesRead]));
}
