//! What a script may find otherwise in an interpreter on WebAssembly than in the host's.
//!
//! The interpreters are other programs, or other versions: a float may be added up in another way,
//! an error worded differently, a path of the host missing. Nobody can tell that of every program,
//! so this is about signs: what a script can do, what it imports, and words of its text, comments
//! and texts included. A script with a sign keeps running where the host's interpreter is; one
//! without has been seen to do the same in both, as far as hundreds of programs tell.

use atoll_types::{Analysis, Capability, DependencySource, ProgramKind};

/// What has the same results in both: random numbers differ in every run.
const SAME: [Capability; 1] = [Capability::Randomness];

/// Standard modules of Python whose results do not depend on the version and the platform.
const PYTHON_MODULES: [&str; 35] = [
    "__future__",
    "abc",
    "argparse",
    "base64",
    "binascii",
    "bisect",
    "cmath",
    "collections",
    "contextlib",
    "copy",
    "csv",
    "dataclasses",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "hashlib",
    "heapq",
    "hmac",
    "io",
    "itertools",
    "json",
    "keyword",
    "math",
    "numbers",
    "operator",
    "queue",
    "random",
    "re",
    "string",
    "sys",
    "textwrap",
    "typing",
    "unicodedata",
    "zlib",
];

/// Words of Python whose meaning depends on the version, the width of an address, or what surrounds
/// the program. Floats are added up more exactly since Python 3.12.
const PYTHON_WORDS: [&str; 19] = [
    "OverflowError",
    "RecursionError",
    "SyntaxError",
    "__builtins__",
    "__code__",
    "__doc__",
    "__loader__",
    "__sizeof__",
    "__spec__",
    "astimezone",
    "dir",
    "fromtimestamp",
    "fsum",
    "hash",
    "id",
    "localtime",
    "memoryview",
    "sum",
    "vars",
];

/// What programs may ask of the module `sys`: their arguments, streams and end.
const PYTHON_SYS: [&[u8]; 5] = [b"argv", b"exit", b"stderr", b"stdin", b"stdout"];

/// Globals of Node.js that the interpreter for JavaScript has not, and words whose results are the
/// engine's own: locales, positions, what belongs to the process.
const JAVASCRIPT_WORDS: [&str; 43] = [
    "AbortController",
    "AbortSignal",
    "Atomics",
    "Blob",
    "BroadcastChannel",
    "Buffer",
    "CompressionStream",
    "CustomEvent",
    "Event",
    "EventTarget",
    "File",
    "FormData",
    "Headers",
    "Intl",
    "MessageChannel",
    "PerformanceObserver",
    "ReadableStream",
    "Request",
    "Response",
    "SharedArrayBuffer",
    "SyntaxError",
    "TextDecoder",
    "TransformStream",
    "URL",
    "URLSearchParams",
    "WebAssembly",
    "WritableStream",
    "captureStackTrace",
    "crypto",
    "eval",
    "fetch",
    "gc",
    "localeCompare",
    "normalize",
    "performance",
    "promises",
    "queueMicrotask",
    "stack",
    "structuredClone",
    "toLocaleDateString",
    "toLocaleLowerCase",
    "toLocaleString",
    "toLocaleTimeString",
];

/// What a script may find otherwise, as the end of a sentence that begins with the program; `None`
/// when there is no sign of anything.
pub(crate) fn differs(kind: ProgramKind, text: &[u8], analysis: &Analysis) -> Option<String> {
    let does = analysis.capabilities.iter().find(|it| !SAME.contains(it));
    if let Some(capability) = does {
        let name = capability.name();
        return Some(format!(
            "has the capability {name}, which can tell where it runs"
        ));
    }
    let words = match kind {
        ProgramKind::Python => PYTHON_WORDS.as_slice(),
        ProgramKind::JavaScript => JAVASCRIPT_WORDS.as_slice(),
        _ => return None,
    };
    if kind == ProgramKind::Python {
        let mut standard = analysis.dependencies.iter();
        let other = standard.find(|it| {
            it.source == DependencySource::StandardLibrary
                && !PYTHON_MODULES.contains(&it.name.as_str())
        });
        if let Some(module) = other {
            return Some(format!("imports {}, which may differ there", module.name));
        }
    }
    match words.iter().find(|word| has_word(text, word)) {
        Some(word) => Some(format!("says {word}, which may mean something else there")),
        None if kind == ProgramKind::Python && asks_of_sys(text) => {
            Some("asks its interpreter about itself (sys)".to_owned())
        }
        // How `console.log` shows a value in full is Node.js's own.
        None if kind == ProgramKind::JavaScript && memchr::memmem::find(text, b"%o").is_some() => {
            Some("formats with %o, which shows less there".to_owned())
        }
        None => shows_errors(kind, text),
    }
}

/// Whether a Python program asks more of the module `sys` than [`PYTHON_SYS`].
fn asks_of_sys(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| *byte == b'\n');
    lines.any(|line| {
        let line = line.trim_ascii();
        let asks = |after: &[u8]| {
            let member = after.strip_prefix(b".").unwrap_or_default();
            let is_end = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'_';
            let name = member.split(is_end).next().unwrap_or_default();
            !PYTHON_SYS.contains(&name)
        };
        line != b"import sys" && after_word(line, "sys").any(asks)
    })
}

/// What follows each place where a word stands in a text by itself.
fn after_word<'t>(text: &'t [u8], word: &'t str) -> impl Iterator<Item = &'t [u8]> {
    let is_part = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'))
    };
    let places = memchr::memmem::find_iter(text, word.as_bytes());
    places.filter_map(move |at| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        let after = text.get(at.saturating_add(word.len())..)?;
        (!is_part(before) && !is_part(after.first())).then_some(after)
    })
}

/// Whether a word stands in a text by itself.
fn has_word(text: &[u8], word: &str) -> bool {
    after_word(text, word).next().is_some()
}

/// Whether a script takes errors of its interpreter by name: it may print how they are worded.
fn shows_errors(kind: ProgramKind, text: &[u8]) -> Option<String> {
    let takes = match kind {
        ProgramKind::Python => text.split(|byte| *byte == b'\n').any(|line| {
            let line = line.trim_ascii_start();
            line.starts_with(b"except") && memchr::memmem::find(line, b" as ").is_some()
        }),
        _ => has_word(text, "catch") && has_word(text, "message"),
    };
    takes.then(|| "takes errors by name, which may be worded differently there".to_owned())
}

#[cfg(test)]
mod tests {
    use atoll_types::{Complexity, Dependency, ExecutionClass};

    use super::*;

    fn analysis(capabilities: &[Capability], modules: &[&str]) -> Analysis {
        Analysis {
            kind: ProgramKind::Python,
            code_bytes: 0,
            lines: 0,
            functions: 0,
            loops: 0,
            loop_nesting_max: 0,
            recursion: false,
            instructions: 0,
            literals: Vec::new(),
            dependencies: modules
                .iter()
                .map(|name| Dependency {
                    name: (*name).to_owned(),
                    source: DependencySource::StandardLibrary,
                })
                .collect(),
            host_calls: Default::default(),
            capabilities: capabilities.iter().copied().collect(),
            disguised: Default::default(),
            execution_class: ExecutionClass::Short,
            complexity: Complexity::default(),
            declared_memory_bytes: None,
            problems: Vec::new(),
        }
    }

    fn sign(kind: ProgramKind, text: &str) -> Option<String> {
        differs(kind, text.as_bytes(), &analysis(&[], &[]))
    }

    #[test]
    fn signs_are_found_in_words_of_their_own() {
        use ProgramKind::{JavaScript, Python};
        assert_eq!(sign(Python, "def checksum(ids): return ids\n"), None);
        for text in [
            "print(hash(1))",
            "total = sum(values)",
            "try:\n    f()\nexcept ValueError as error:\n    print(error)\n",
        ] {
            assert!(sign(Python, text).is_some(), "{text}");
        }
        let filter = "import sys\nfor line in sys.stdin:\n    sys.stdout.write(line)\n";
        assert_eq!(sign(Python, filter), None);
        for text in [
            "import sys\nprint(sys.maxsize)",
            "from sys import flags",
            "import sys, re",
        ] {
            assert!(sign(Python, text).is_some(), "{text}");
        }
        assert_eq!(sign(JavaScript, "console.log(hash, curl, URLs);"), None);
        for text in [
            "new URL(x)",
            "console.log('%o', x)",
            "a.sort((a, b) => a.localeCompare(b))",
            "try { f() } catch (e) { console.log(e.message) }",
        ] {
            assert!(sign(JavaScript, text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_a_program_can_do_and_imports_is_a_sign() {
        let found = |capabilities: &[_], modules: &[_]| {
            differs(ProgramKind::Python, b"", &analysis(capabilities, modules))
        };
        assert_eq!(found(&[Capability::Randomness], &["json", "random"]), None);
        for capability in Capability::ALL.into_iter().filter(|it| !SAME.contains(it)) {
            assert!(found(&[capability], &[]).is_some(), "{}", capability.name());
        }
        assert!(found(&[], &["statistics"]).is_some());
    }
}
