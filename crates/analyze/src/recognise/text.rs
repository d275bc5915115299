//! Tells scripts apart: by their first line, by what their lines look like, by their name.

use atoll_types::ProgramKind;

use super::UnknownKind;
use crate::python::declared_encoding;

/// Bytes and lines looked at; a language shows itself early.
const BYTES_MAX: usize = 64 << 10;
const LINES_MAX: usize = 400;

/// Evidence the content must have over what the name says to overrule it.
const MARGIN: u32 = 3;

pub(super) fn recognise(name: &str, bytes: &[u8]) -> Result<ProgramKind, UnknownKind> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let by_first_line = first_line(bytes)?;
    if let Some(offset) = not_text(bytes) {
        // Python alone lets a script say that it is in another encoding; its analysis looks.
        let python = by_first_line.or_else(|| by_name(name)) == Some(ProgramKind::Python);
        return match python && declared_encoding(bytes).is_some() {
            true => Ok(ProgramKind::Python),
            false => Err(UnknownKind::Binary { offset }),
        };
    }
    if let Some(kind) = by_first_line {
        return Ok(kind);
    }
    let start = bytes.get(..BYTES_MAX).unwrap_or(bytes);
    let text = String::from_utf8_lossy(start);
    if ["(module", "(component"]
        .iter()
        .any(|form| text.trim_start().starts_with(form))
    {
        return Err(UnknownKind::WasmText);
    }
    by_content(&text, by_name(name)).ok_or(UnknownKind::Language)
}

/// The kind that `#!` asks for; `None` without such a line.
fn first_line(bytes: &[u8]) -> Result<Option<ProgramKind>, UnknownKind> {
    let Some(rest) = bytes.strip_prefix(b"#!") else {
        return Ok(None);
    };
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line.get(..256).unwrap_or(line)).into_owned();
    let mut words = line.split_whitespace();
    let mut command = words.next().unwrap_or_default();
    if command.ends_with("/env") {
        // Options of env and variables it sets come before the interpreter.
        command = words
            .find(|word| !word.starts_with('-') && !word.contains('='))
            .unwrap_or_default();
    }
    let interpreter = command.rsplit('/').next().unwrap_or_default();
    let plain = interpreter.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    match plain {
        "python" | "pypy" => Ok(Some(ProgramKind::Python)),
        "node" | "nodejs" => Ok(Some(ProgramKind::JavaScript)),
        "sh" | "bash" | "dash" | "ash" => Ok(Some(ProgramKind::Shell)),
        _ => Err(UnknownKind::Interpreter {
            interpreter: interpreter
                .chars()
                .filter(|c| !c.is_control())
                .take(64)
                .collect(),
        }),
    }
}

/// Where the bytes stop being text: invalid UTF-8 or a NUL.
fn not_text(bytes: &[u8]) -> Option<usize> {
    let nul = bytes.iter().position(|byte| *byte == 0);
    let invalid = std::str::from_utf8(bytes)
        .err()
        .map(|error| error.valid_up_to());
    nul.into_iter().chain(invalid).min()
}

fn by_name(name: &str) -> Option<ProgramKind> {
    let (_, extension) = name.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "py" | "pyw" => Some(ProgramKind::Python),
        "js" | "mjs" | "cjs" => Some(ProgramKind::JavaScript),
        "sh" | "bash" => Some(ProgramKind::Shell),
        _ => None,
    }
}

/// The language with the most evidence. The name stands against anything but a clear difference,
/// and decides alone where there is no evidence.
fn by_content(text: &str, named: Option<ProgramKind>) -> Option<ProgramKind> {
    let kinds = [
        ProgramKind::Python,
        ProgramKind::JavaScript,
        ProgramKind::Shell,
    ];
    let mut scores = [0_u32; 3];
    for line in text.lines().take(LINES_MAX) {
        let line = line.trim();
        let found = [python(line), javascript(line), shell(line)];
        for (score, found) in scores.iter_mut().zip(found) {
            *score = score.saturating_add(found);
        }
    }
    let score_of = |kind| {
        kinds
            .iter()
            .zip(scores)
            .find(|(k, _)| **k == kind)
            .map_or(0, |(_, s)| s)
    };
    let best = scores.into_iter().max().unwrap_or(0);
    if let Some(named) = named
        && best < score_of(named).saturating_add(MARGIN)
    {
        return Some(named);
    }
    let mut leaders = kinds
        .iter()
        .zip(scores)
        .filter(|(_, score)| *score == best && best > 0);
    let leader = leaders.next();
    // Two languages in front of the pack: nothing was told.
    if leaders.next().is_some() {
        None
    } else {
        leader.map(|(kind, _)| *kind)
    }
}

fn starts(line: &str, beginnings: &[&str]) -> u32 {
    u32::from(
        beginnings
            .iter()
            .any(|beginning| line.starts_with(beginning)),
    )
}

fn has(line: &str, parts: &[&str]) -> u32 {
    u32::from(parts.iter().any(|part| line.contains(part)))
}

fn python(line: &str) -> u32 {
    const BLOCKS: [&str; 12] = [
        "def ",
        "class ",
        "if ",
        "elif ",
        "else:",
        "for ",
        "while ",
        "with ",
        "try:",
        "except",
        "finally:",
        "async def ",
    ];
    let code = line.split('#').next().unwrap_or_default().trim_end();
    let block = starts(line, &BLOCKS) * u32::from(code.ends_with(':')) * 3;
    let imports = u32::from(line.starts_with("from ") && line.contains(" import ")) * 3
        + u32::from(line.starts_with("import ") && !line.contains([';', '\'', '"'])) * 2;
    block
        + imports
        + starts(line, &["print(", "\"\"\"", "raise ", "@"])
        + has(
            line,
            &["__name__", "self.", " is None", " not in ", "lambda "],
        )
}

fn javascript(line: &str) -> u32 {
    let declares = starts(
        line,
        &[
            "const ",
            "let ",
            "var ",
            "function ",
            "async function ",
            "export ",
        ],
    );
    let imports = u32::from(line.starts_with("import ") && line.contains([';', '\'', '"']));
    declares * 2
        + imports * 2
        + starts(line, &["//", "/*", "}"])
        + u32::from(line.ends_with(';') && !line.ends_with(";;"))
        + has(
            line,
            &["console.", "require(", "process.", "module.exports"],
        ) * 2
        + has(line, &["=>", "===", "!==", "(;;)", ") {", "){", "new "])
}

fn shell(line: &str) -> u32 {
    let words = ["fi", "done", "esac", "then", "do", ";;"];
    u32::from(words.contains(&line)) * 3
        + starts(
            line,
            &[
                "echo ", "export ", "set -", "cd ", "mkdir ", "cat ", "exit ", "printf ",
            ],
        )
        + has(
            line,
            &["; then", "; do", "; done", "; fi", "[ -", "[[ ", "]; then"],
        ) * 2
        + has(
            line,
            &[
                "$(",
                "${",
                " | ",
                " && ",
                "\"$",
                "$1",
                " $",
                ">&2",
                ">/dev/null",
            ],
        )
        + has(line, &["(){", "() {", ":|:"]) * u32::from(!line.contains("function"))
}
