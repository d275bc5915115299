//! Which system calls a program needs, judged from its analysis.
//!
//! Owns what is known of Python's standard library in this respect. A program that turns out to
//! need more than it was given gets an error from the kernel, never more than it was given.

use atoll_types::{Analysis, Capability, DependencySource, ProgramKind, SystemCalls};

/// What a program needs, and why, as a sentence that the choice can stand before.
pub(crate) fn needed(analysis: &Analysis) -> (SystemCalls, String) {
    match analysis.kind {
        ProgramKind::Python => match more_than_strict(analysis) {
            Some(why) => (SystemCalls::Processes, why),
            None => (
                SystemCalls::Strict,
                "it was understood, and nothing in it starts threads or processes, opens sockets \
                 or runs other code"
                    .to_owned(),
            ),
        },
        ProgramKind::WasmModule | ProgramKind::WasmComponent => (
            SystemCalls::Strict,
            "WebAssembly makes no system calls of its own".to_owned(),
        ),
        kind @ (ProgramKind::JavaScript | ProgramKind::Shell | ProgramKind::Native) => (
            SystemCalls::Processes,
            format!(
                "what a {} program needs cannot be told from its text",
                kind.name()
            ),
        ),
    }
}

/// Capabilities that need more system calls, or that may lead to anything.
const WIDE: [Capability; 8] = [
    Capability::Unanalyzed,
    Capability::DynamicCode,
    Capability::NativeCode,
    Capability::UnsafeDeserialization,
    Capability::Network,
    Capability::Processes,
    Capability::Threads,
    Capability::SystemChange,
];

/// Why a Python program needs more, if it does.
fn more_than_strict(analysis: &Analysis) -> Option<String> {
    let capability = WIDE
        .iter()
        .find(|wide| analysis.capabilities.contains(wide));
    if let Some(capability) = capability {
        let name = capability.name();
        return Some(format!("it has the capability `{name}`"));
    }
    let unknown = analysis.dependencies.iter().find(|dependency| {
        dependency.source != DependencySource::StandardLibrary
            || MODULES.binary_search(&dependency.name.as_str()).is_err()
    });
    if let Some(module) = unknown {
        let name = &module.name;
        return Some(format!("the module `{name}` may need them"));
    }
    let call = analysis
        .host_calls
        .iter()
        .find(|call| CALLS.binary_search(&call.as_str()).is_ok());
    call.map(|call| format!("it uses `{call}`"))
}

/// Modules of the standard library that start no thread and no process and open no socket, or of
/// which the analysis reports as a capability what does. Sorted.
static MODULES: [&str; 112] = [
    "__future__",
    "abc",
    "argparse",
    "array",
    "ast",
    "atexit",
    "base64",
    "binascii",
    "bisect",
    "builtins",
    "bz2",
    "calendar",
    "cmath",
    "codecs",
    "collections",
    "colorsys",
    "configparser",
    "contextlib",
    "contextvars",
    "copy",
    "copyreg",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "dis",
    "email",
    "encodings",
    "enum",
    "errno",
    "fcntl",
    "filecmp",
    "fileinput",
    "fnmatch",
    "fractions",
    "functools",
    "gc",
    "getopt",
    "getpass",
    "gettext",
    "glob",
    "graphlib",
    "grp",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "linecache",
    "locale",
    "logging",
    "lzma",
    "math",
    "mimetypes",
    "mmap",
    "numbers",
    "operator",
    "os",
    "pathlib",
    "pickle",
    "plistlib",
    "posixpath",
    "pprint",
    "pwd",
    "queue",
    "quopri",
    "random",
    "re",
    "reprlib",
    "resource",
    "sched",
    "secrets",
    "select",
    "selectors",
    "shlex",
    "shutil",
    "signal",
    "sqlite3",
    "stat",
    "statistics",
    "string",
    "stringprep",
    "struct",
    "sys",
    "sysconfig",
    "tarfile",
    "tempfile",
    "textwrap",
    "time",
    "tokenize",
    "tomllib",
    "traceback",
    "types",
    "typing",
    "unicodedata",
    "unittest",
    "urllib",
    "uuid",
    "warnings",
    "wave",
    "weakref",
    "xml",
    "zipfile",
    "zlib",
    "zoneinfo",
];

/// Functions of these modules that need other system calls than those of `strict`. Sorted.
static CALLS: [&str; 36] = [
    "os.chown",
    "os.copy_file_range",
    "os.fchdir",
    "os.fchown",
    "os.getgrouplist",
    "os.getgroups",
    "os.getpgid",
    "os.getpgrp",
    "os.getppid",
    "os.getpriority",
    "os.getresgid",
    "os.getresuid",
    "os.getsid",
    "os.lchown",
    "os.memfd_create",
    "os.mkfifo",
    "os.mknod",
    "os.posix_fadvise",
    "os.posix_fallocate",
    "os.preadv",
    "os.pwritev",
    "os.readv",
    "os.sched_getparam",
    "os.sched_getscheduler",
    "os.sendfile",
    "os.splice",
    "os.statvfs",
    "os.sync",
    "os.tcsetpgrp",
    "os.times",
    "os.truncate",
    "os.writev",
    "shutil.chown",
    "shutil.disk_usage",
    "uuid.getnode",
    "uuid.uuid1",
];

#[cfg(test)]
mod tests;
