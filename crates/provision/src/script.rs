//! Inline script metadata (PEP 723): the `# /// script` block of a Python program.
//!
//! ```text
//! # /// script
//! # requires-python = ">=3.11"
//! # dependencies = ["requests<3", "rich"]
//! # ///
//! ```
//!
//! The bytes are a stranger's: they are looked at once from front to back, and only a block of at
//! most [`BLOCK_BYTES_MAX`] is read as TOML.

use serde::Deserialize;

/// The largest block that is read, in bytes.
pub(crate) const BLOCK_BYTES_MAX: usize = 64 << 10;

/// What a program says of its needs. Other keys, such as `tool`, are for others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ScriptMetadata {
    /// Requirements (PEP 508), as they are written.
    #[serde(default)]
    pub dependencies: Vec<String>,
    /// Which interpreters fit (PEP 440), as it is written.
    #[serde(default, rename = "requires-python")]
    pub requires_python: Option<String>,
}

/// Reads the block of a program; `None` where there is none. An unclosed block is none, as the
/// specification has it.
///
/// # Errors
/// What is wrong with the block, in a sentence without an end.
pub fn script_metadata(program: &[u8]) -> Result<Option<ScriptMetadata>, String> {
    let Some(text) = block(program)? else {
        return Ok(None);
    };
    let read = toml::from_str(&text);
    read.map(Some)
        .map_err(|error| format!("it is not valid TOML: {}", error.message()))
}

/// The text of the block, without its comment signs.
fn block(program: &[u8]) -> Result<Option<String>, String> {
    let mut found: Option<String> = None;
    let mut lines = lines(program).peekable();
    while let Some(line) = lines.next() {
        if kind(line) != Some(b"script") {
            continue;
        }
        let mut text = Vec::new();
        let mut closed_at = None;
        // A later closing line wins over an earlier one, as long as all between are comments.
        while let Some(line) = lines.peek().copied().filter(|line| is_comment(line)) {
            if line == b"# ///" {
                closed_at = Some(text.len());
            } else if closed_at.is_some() && kind(line).is_some() {
                // The next block begins.
                break;
            }
            text.extend_from_slice(content(line));
            text.push(b'\n');
            if text.len() > BLOCK_BYTES_MAX {
                return Err(format!("it is larger than {BLOCK_BYTES_MAX} bytes"));
            }
            lines.next();
        }
        let Some(end) = closed_at else { continue };
        text.truncate(end);
        let text = String::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())?;
        if found.replace(text).is_some() {
            return Err("there is more than one; keep one of them".to_owned());
        }
    }
    Ok(found)
}

fn lines(program: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = program.split(|byte| *byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn is_comment(line: &[u8]) -> bool {
    line == b"#" || line.starts_with(b"# ")
}

fn content(line: &[u8]) -> &[u8] {
    line.get(2..).unwrap_or_default()
}

/// The kind of the block that a line opens.
fn kind(line: &[u8]) -> Option<&[u8]> {
    let kind = line.strip_prefix(b"# /// ")?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    (!kind.is_empty() && kind.iter().all(plain)).then_some(kind)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(program: &str) -> Result<Option<ScriptMetadata>, String> {
        script_metadata(program.as_bytes())
    }

    #[test]
    fn the_example_of_the_specification_is_read() {
        let program = "#!/usr/bin/env python\n# /// script\n# requires-python = \">=3.11\"\n\
                       # dependencies = [\n#   \"requests<3\",\n#   \"rich\",\n# ]\n# ///\n\n\
                       import requests\n";
        let found = read(program).unwrap().unwrap();
        assert_eq!(found.dependencies, ["requests<3", "rich"]);
        assert_eq!(found.requires_python.as_deref(), Some(">=3.11"));
        assert_eq!(
            read(&program.replace('\n', "\r\n"))
                .unwrap()
                .unwrap()
                .dependencies,
            ["requests<3", "rich"]
        );
    }

    #[test]
    fn other_blocks_unclosed_blocks_and_texts_are_none() {
        for program in [
            "",
            "# /// script\n# dependencies = []\n",
            "# /// script\nx = 1\n# ///\n",
            "# /// tool-of-mine\n# dependencies = [\"a\"]\n# ///\n",
            "print('# /// script')\n",
            " # /// script\n# ///\n",
            "#/// script\n# ///\n",
        ] {
            assert_eq!(read(program), Ok(None), "{program:?}");
        }
    }

    #[test]
    fn the_last_closing_line_counts_and_two_blocks_are_one_too_many() {
        let embedded = "# /// script\n# dependencies = [\"a\"]\n# # ///\n#\n# ///\n";
        assert_eq!(read(embedded).unwrap().unwrap().dependencies, ["a"]);
        let one = "# /// script\n# dependencies = []\n# ///\n";
        assert!(read(&format!("{one}\n{one}")).is_err());
        let other = "# /// other\n# x = 1\n# ///\n";
        assert!(read(&format!("{one}{other}")).unwrap().is_some());
    }

    #[test]
    fn wrong_and_large_blocks_are_told() {
        assert!(read("# /// script\n# dependencies = 3\n# ///\n").is_err());
        let large = format!("# /// script\n{}# ///\n", "# # padding\n".repeat(10_000));
        assert!(read(&large).unwrap_err().contains("larger"));
        let deep = format!("# /// script\n# x = {}\n# ///\n", "[".repeat(20_000));
        assert!(read(&deep).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = script_metadata(&bytes);
        }

        #[test]
        fn lines_that_look_alike_are_read_without_a_panic(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "# /// script\n", "# ///\n", "#\n", "# x = 1\n", "x\n", "# [tool.a]\n",
                    "# dependencies = [\"a\"]\n", "\r\n", "# /// other\n", "#x\n",
                ]), 0..40)
        ) {
            let _ = script_metadata(parts.concat().as_bytes());
        }

        #[test]
        fn what_is_written_is_read_again(
            dependencies in prop::collection::vec("[a-z][a-z0-9-]{0,12}(==[0-9]{1,2})?", 0..8),
            before in "([a-z =]{0,20}\n){0,4}",
            after in "(\n[a-z =#]{0,20}){0,4}",
        ) {
            let list = dependencies.iter().map(|name| format!("#   \"{name}\",\n"));
            let list: String = list.collect();
            let program = format!(
                "{before}# /// script\n# dependencies = [\n{list}# ]\n# ///\n{after}"
            );
            let found = read(&program).unwrap().unwrap();
            prop_assert_eq!(found.dependencies, dependencies);
        }
    }
}
