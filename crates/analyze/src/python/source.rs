//! From the bytes of a Python program to its text, the way CPython would read it.
//!
//! CPython decodes a source file by its byte order mark or by a comment in its first two lines
//! (PEP 263). Reading the text in another way than the interpreter does would let code hide, so
//! everything outside the few encodings known to be plain is refused here.

use std::borrow::Cow;
use std::cell::OnceCell;

/// Why the text could not be had. `line` counts from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Undecodable {
    pub(super) line: Option<u64>,
    pub(super) message: String,
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The program's text without its byte order mark.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Undecodable> {
    let (bytes, marked) = match bytes.strip_prefix(BOM) {
        Some(rest) => (rest, true),
        None => (bytes, false),
    };
    if let Some(position) = bytes.iter().position(|byte| *byte == 0) {
        return Err(undecodable(bytes, position, "a NUL byte"));
    }
    let Some(cookie) = declared_encoding(bytes) else {
        return utf8(bytes);
    };
    match plain_encoding(&cookie) {
        Some(Encoding::Utf8) => utf8(bytes),
        Some(_) if marked => Err(Undecodable {
            line: Some(1),
            message: format!("a UTF-8 byte order mark, but the encoding {cookie} is declared"),
        }),
        Some(Encoding::Latin1) => Ok(latin1(bytes)),
        Some(Encoding::AsciiSuperset) if bytes.is_ascii() => utf8(bytes),
        Some(Encoding::AsciiSuperset) => Err(Undecodable {
            line: None,
            message: format!("non-ASCII text in the encoding {cookie} is not read; use UTF-8"),
        }),
        None => Err(Undecodable {
            line: None,
            message: format!("the declared encoding {cookie} is not read; use UTF-8"),
        }),
    }
}

/// The name in a PEP 263 comment of the first two lines, in lower case with `-` for `_`.
///
/// The second line is looked at even where CPython would not (after code in the first): finding
/// one cookie too many only refuses a strange program, missing one would misread it.
pub(crate) fn declared_encoding(bytes: &[u8]) -> Option<String> {
    bytes
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .take(3) // A line end of two characters splits off an empty piece.
        .find_map(cookie_of_line)
}

/// The encoding one line declares: a comment with `coding:` or `coding=` and a name.
fn cookie_of_line(line: &[u8]) -> Option<String> {
    let comment = line.trim_ascii_start().strip_prefix(b"#")?;
    let mark = b"coding";
    let mut rest = comment;
    loop {
        let found = rest.windows(mark.len()).position(|part| part == mark)?;
        rest = rest.get(found + mark.len()..)?;
        let Some((b':' | b'=', value)) = rest.split_first() else {
            continue;
        };
        let name: String = value
            .iter()
            .skip_while(|byte| matches!(byte, b' ' | b'\t'))
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
            .take(64)
            .map(|byte| match byte {
                b'_' => '-',
                byte => char::from(byte.to_ascii_lowercase()),
            })
            .collect();
        if !name.is_empty() {
            return Some(name);
        }
    }
}

/// Encodings whose bytes below 128 mean what they mean in ASCII, in every context.
///
/// Python knows others (`utf-7`, `unicode-escape`, `cp037`, ...) in which plain-looking bytes
/// decode to other text. Those must not be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Latin1,
    AsciiSuperset,
}

/// Whether a declared encoding is one that can be read, and how.
pub(crate) fn plain_encoding(name: &str) -> Option<Encoding> {
    let number_in = |prefix: &str, range: std::ops::RangeInclusive<u32>| {
        name.strip_prefix(prefix)
            .and_then(|number| number.parse().ok())
            .is_some_and(|number: u32| range.contains(&number))
    };
    match name {
        "utf-8" | "utf8" | "utf-8-sig" | "utf-8-unix" | "utf-8-dos" | "utf-8-mac" => {
            Some(Encoding::Utf8)
        }
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "iso-latin-1" | "l1" => {
            Some(Encoding::Latin1)
        }
        "ascii" | "us-ascii" | "koi8-r" | "koi8-u" => Some(Encoding::AsciiSuperset),
        _ if number_in("cp", 1250..=1258)
            || number_in("windows-", 1250..=1258)
            || number_in("iso-8859-", 2..=16)
            || number_in("iso8859-", 2..=16) =>
        {
            Some(Encoding::AsciiSuperset)
        }
        _ => None,
    }
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, Undecodable> {
    std::str::from_utf8(bytes)
        .map(Cow::Borrowed)
        .map_err(|error| undecodable(bytes, error.valid_up_to(), "bytes that are not UTF-8"))
}

/// In Latin-1 every byte is the character of the same number.
fn latin1(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

fn undecodable(bytes: &[u8], position: usize, what: &str) -> Undecodable {
    let before = bytes.get(..position).unwrap_or(bytes);
    let line = line_count(before).max(1) + u64::from(ends_line(before));
    Undecodable {
        line: Some(line),
        message: format!("{what} at offset {position}"),
    }
}

fn ends_line(bytes: &[u8]) -> bool {
    matches!(bytes.last(), Some(b'\n' | b'\r'))
}

/// Lines of a text: a last line without an end counts, `\r\n` is one end, and so is `\r` alone.
pub(super) fn line_count(bytes: &[u8]) -> u64 {
    let mut lines = 0;
    let mut previous = b'\n';
    for byte in bytes {
        match byte {
            b'\n' if previous == b'\r' => {}
            b'\n' | b'\r' => lines += 1,
            _ => {}
        }
        previous = *byte;
    }
    lines + u64::from(!bytes.is_empty() && !ends_line(bytes))
}

/// Tells the line of a place in a text.
#[derive(Debug)]
pub(super) enum Lines<'a> {
    /// The lines of this text; the table is made when it is first asked for.
    Text {
        text: &'a str,
        starts: OnceCell<Vec<usize>>,
    },
    /// Everything stands on one line: code inside a text of the program.
    One(u64),
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self::Text {
            text,
            starts: OnceCell::new(),
        }
    }

    /// The line, counted from 1, of a byte offset.
    pub(super) fn line_of(&self, offset: usize) -> u64 {
        match self {
            Self::One(line) => *line,
            Self::Text { text, starts } => {
                let starts = starts.get_or_init(|| line_starts(text.as_bytes()));
                starts.partition_point(|start| *start <= offset) as u64
            }
        }
    }
}

fn line_starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = vec![0];
    for (index, byte) in bytes.iter().enumerate() {
        let ends = match byte {
            b'\n' => true,
            b'\r' => bytes.get(index + 1) != Some(&b'\n'),
            _ => false,
        };
        if ends {
            starts.push(index + 1);
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_as_python_counts_them() {
        for (text, lines) in [
            ("", 0),
            ("a", 1),
            ("a\n", 1),
            ("a\r\nb", 2),
            ("a\rb\r", 2),
            ("\n\n", 2),
            ("\r\n\r\n", 2),
        ] {
            assert_eq!(line_count(text.as_bytes()), lines, "{text:?}");
        }
    }

    #[test]
    fn cookies_are_found_where_python_finds_them() {
        for (text, cookie) in [
            ("# -*- coding: latin-1 -*-\n", Some("latin-1")),
            (
                "#!/usr/bin/python\n# vim: set fileencoding=UTF_8 :\n",
                Some("utf-8"),
            ),
            ("\r\n#coding:cp1252", Some("cp1252")),
            ("# coding of this: nothing\n# coding= ascii", Some("ascii")),
            ("\n\n\n# coding: latin-1", None),
            ("x = 'coding: utf-7'", None),
        ] {
            assert_eq!(
                declared_encoding(text.as_bytes()).as_deref(),
                cookie,
                "{text:?}"
            );
        }
    }

    #[test]
    fn text_is_decoded_as_python_decodes_it() {
        assert_eq!(decode(b"\xEF\xBB\xBFx = 1\n").unwrap(), "x = 1\n");
        assert_eq!(
            decode(b"# coding: latin-1\n'\xE9'").unwrap(),
            "# coding: latin-1\n'\u{e9}'"
        );
        assert_eq!(
            decode(b"# coding: cp1252\nx").unwrap(),
            "# coding: cp1252\nx"
        );
    }

    #[test]
    fn encodings_that_can_hide_code_are_refused() {
        for cookie in [
            "utf-7",
            "unicode_escape",
            "raw-unicode-escape",
            "utf-16",
            "cp037",
            "rot13",
        ] {
            let text = format!("# coding: {cookie}\nprint(1)\n");
            let refused = decode(text.as_bytes()).unwrap_err();
            assert!(refused.message.contains("not read"), "{refused:?}");
        }
        assert!(decode(b"# coding: koi8-r\n'\xC1'").is_err());
        assert!(decode(b"\xEF\xBB\xBF# coding: latin-1\n").is_err());
    }

    #[test]
    fn broken_text_is_located() {
        let nul = decode(b"x = 1\ny\0").unwrap_err();
        assert_eq!(
            (nul.line, nul.message.as_str()),
            (Some(2), "a NUL byte at offset 7")
        );
        assert_eq!(decode(b"a\r\n\xFF").unwrap_err().line, Some(2));
    }
}
