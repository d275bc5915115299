//! Tells scripts apart: by the interpreter they name, else by what their text looks like.

use atoll_types::ProgramKind;

use super::{UnknownKind, formats};
use crate::python;

mod evidence;

/// Recognises text, and refuses what is none.
pub(super) fn recognise(name: &str, bytes: &[u8]) -> Result<ProgramKind, UnknownKind> {
    if let Some(offset) = bytes.iter().position(|byte| *byte == 0) {
        if formats::is_python_bytecode(bytes) {
            return Err(UnknownKind::OtherFormat {
                format: "compiled Python",
                advice: "give its source",
            });
        }
        return Err(UnknownKind::BinaryData { offset });
    }
    let named = match shebang(bytes) {
        Some(line) => Some(interpreter(line)?),
        None => None,
    };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return other_encoding(named, bytes, error.valid_up_to()),
    };
    match named {
        Some(kind) => Ok(kind),
        None => evidence::judge(name, text.trim_start_matches('\u{feff}')),
    }
}

/// Only Python has a way to say that a source is in another encoding.
fn other_encoding(
    named: Option<ProgramKind>,
    bytes: &[u8],
    offset: usize,
) -> Result<ProgramKind, UnknownKind> {
    let is_declared = python::declared_encoding(bytes)
        .and_then(|name| python::plain_encoding(&name))
        .is_some_and(|encoding| encoding != python::Encoding::Utf8);
    let may_be_python = named.is_none_or(|kind| kind == ProgramKind::Python);
    if is_declared && may_be_python {
        return Ok(ProgramKind::Python);
    }
    // Text has few bytes below the space but white space and the escape of terminals.
    let control = |byte: &u8| *byte < b' ' && !b"\t\n\r\x0B\x0C\x1B\x08".contains(byte);
    match bytes.iter().position(control) {
        Some(offset) => Err(UnknownKind::BinaryData { offset }),
        None => Err(UnknownKind::NotUtf8 { offset }),
    }
}

/// What follows `#!` on the first line.
fn shebang(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(b"#!")?;
    rest.split(|byte| *byte == b'\n').next()
}

/// The kind of the interpreter a shebang line names.
fn interpreter(line: &[u8]) -> Result<ProgramKind, UnknownKind> {
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace().map(base_name);
    let mut name = words.next().unwrap_or_default();
    if name == "env" {
        // Options of `env` and assignments come before the interpreter.
        name = loop {
            match words.next() {
                Some("-u" | "--unset" | "-C" | "--chdir") => drop(words.next()),
                Some(word) if word.starts_with("-S") && word.len() > 2 => {
                    break base_name(word.get(2..).unwrap_or_default());
                }
                Some(word) if word.starts_with('-') || word.contains('=') => {}
                Some(word) => break word,
                None => break "env",
            }
        };
    }
    let name = match name {
        "busybox" => words.next().unwrap_or(name),
        // Runs a Python script with the dependencies it lists.
        "uv" if words.any(|word| word == "--script") => "python3",
        name => name,
    };
    // `python3.11` and `bash5` are what their names without versions are; Python 2 is another
    // language.
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let version = name.get(plain.len()..).unwrap_or_default();
    match plain {
        "python" | "pypy" if !version.starts_with('2') => Ok(ProgramKind::Python),
        "node" | "nodejs" => Ok(ProgramKind::JavaScript),
        "sh" | "bash" | "dash" | "ash" => Ok(ProgramKind::Shell),
        _ => Err(UnknownKind::UnknownInterpreter {
            name: name.chars().take(64).collect(),
        }),
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
