//! What a Python program asks for: requirements (PEP 508) from a metadata block, a requirements
//! file, or imports.
//!
//! Only names, extras, versions and markers are taken over. What would lead somewhere else than to
//! the registry (addresses, paths, options of the tool) is refused by name.

use crate::ProvisionError;

/// The most requirements that are read.
pub(crate) const REQUIREMENTS_MAX: usize = 256;

/// The longest requirement, in bytes.
pub(crate) const REQUIREMENT_BYTES_MAX: usize = 1024;

/// The largest requirements file, in bytes.
pub(crate) const FILE_BYTES_MAX: usize = 256 << 10;

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement {
    /// The name of the distribution, normalized (PEP 503).
    pub name: String,
    /// The whole requirement, as the tool is given it: printable ASCII on one line.
    pub text: String,
    /// Hashes that its files are held to, as `sha256:…`; none says nothing.
    pub hashes: Vec<String>,
}

impl Requirement {
    /// Reads a requirement without hashes.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let shown: String = text.chars().take(80).filter(|c| !c.is_control()).collect();
        if text.len() > REQUIREMENT_BYTES_MAX {
            return Err(format!(
                "the requirement {shown:?}… is longer than {REQUIREMENT_BYTES_MAX} bytes"
            ));
        }
        if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(format!("the requirement {shown:?} is not plain ASCII"));
        }
        let end = text
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
            .unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        if !edge(name.bytes().next()) || !edge(name.bytes().last()) {
            return Err(format!(
                "{shown:?} does not begin with a package's name; write one as in requests>=2"
            ));
        }
        check_rest(rest).map_err(|problem| format!("the requirement {shown:?} {problem}"))?;
        Ok(Self {
            name: normalize(name),
            text: text.to_owned(),
            hashes: Vec::new(),
        })
    }

    /// A requirement of any version.
    #[must_use]
    pub fn any_version(name: &str) -> Self {
        let name = normalize(name);
        Self {
            text: name.clone(),
            name,
            hashes: Vec::new(),
        }
    }
}

/// What follows a name: extras, versions, a marker.
fn check_rest(rest: &str) -> Result<(), &'static str> {
    let (rest, marker) = rest.split_once(';').unwrap_or((rest, ""));
    let rest = rest.trim();
    let rest = match rest.strip_prefix('[') {
        Some(extras) => {
            let (extras, rest) = extras.split_once(']').ok_or("has an open bracket")?;
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_., ".contains(c);
            if !extras.chars().all(plain) {
                return Err("has extras that are no names");
            }
            rest.trim_start()
        }
        None => rest,
    };
    if rest.starts_with('@') || marker.contains("://") {
        return Err("names an address; only packages of the registry are installed");
    }
    let first_fits = rest.is_empty() || rest.starts_with(['<', '>', '=', '!', '~', '(']);
    let plain = |c: char| c.is_ascii_alphanumeric() || "<>=!~().*+-_, ".contains(c);
    if first_fits && rest.chars().all(plain) {
        Ok(())
    } else {
        Err("is not a name with versions, as in requests>=2,<3")
    }
}

/// The one way to write a name (PEP 503).
#[must_use]
pub fn normalize(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if normalized.ends_with('-') => {}
            '-' | '_' | '.' => normalized.push('-'),
            c => normalized.push(c.to_ascii_lowercase()),
        }
    }
    normalized
}

/// Reads a requirements file: one requirement a line, comments, continued lines, hashes. Options
/// of pip are refused, because they would say from where something comes.
///
/// # Errors
/// [`ProvisionError::Requirements`] with the first line that is wrong.
pub fn requirements_file(content: &[u8]) -> Result<Vec<Requirement>, ProvisionError> {
    let wrong = |problem: String| ProvisionError::Requirements {
        place: "the requirements file",
        problem,
    };
    if content.len() > FILE_BYTES_MAX {
        return Err(wrong(format!(
            "it is larger than {FILE_BYTES_MAX} bytes; keep what the program needs itself"
        )));
    }
    let text = std::str::from_utf8(content).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let mut found = Vec::new();
    for line in joined.lines() {
        let line = without_comment(line);
        if line.is_empty() {
            continue;
        }
        if line.starts_with('-') {
            let option: String = line.chars().take(60).filter(|c| !c.is_control()).collect();
            return Err(wrong(format!(
                "it has the option {option:?}; write only packages and their versions"
            )));
        }
        found.push(with_hashes(line).map_err(wrong)?);
        check_count(found.len()).map_err(wrong)?;
    }
    Ok(found)
}

/// Holds a number of requirements to what is read.
pub(crate) fn check_count(count: usize) -> Result<(), String> {
    if count > REQUIREMENTS_MAX {
        Err(format!(
            "there are more than {REQUIREMENTS_MAX} requirements"
        ))
    } else {
        Ok(())
    }
}

fn without_comment(line: &str) -> &str {
    let line = if line.trim_start().starts_with('#') {
        ""
    } else {
        line.split(" #").next().unwrap_or(line)
    };
    line.trim()
}

fn with_hashes(line: &str) -> Result<Requirement, String> {
    let mut parts = line.split(" --hash");
    let mut requirement = Requirement::parse(parts.next().unwrap_or_default())?;
    for part in parts {
        let hash = part.trim_start_matches(['=', ' ']).trim();
        let digits = hash.strip_prefix("sha256:").unwrap_or_default();
        if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!(
                "{} has a hash that is not sha256: and 64 hexadecimal digits",
                requirement.name
            ));
        }
        requirement.hashes.push(hash.to_ascii_lowercase());
    }
    Ok(requirement)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_found_and_normalized() {
        for (text, name) in [
            ("requests", "requests"),
            ("Requests>=2,<3", "requests"),
            ("zope.interface == 5.0", "zope-interface"),
            ("uvicorn[standard]>=0.30", "uvicorn"),
            (
                "typing_extensions ; python_version < '3.11'",
                "typing-extensions",
            ),
            ("a__b-.c", "a-b-c"),
            ("six (>=1.0)", "six"),
        ] {
            assert_eq!(Requirement::parse(text).unwrap().name, name, "{text}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        for text in [
            "",
            "-e .",
            "--index-url https://example.org",
            "./here",
            "https://example.org/a.whl",
            "a @ https://example.org/a.whl",
            "a@git+https://example.org/a",
            "a b",
            "a\nb",
            "a[b",
            "é",
            "a-",
            "a; os_name == 'https://example.org'",
        ] {
            assert!(Requirement::parse(text).is_err(), "{text:?}");
        }
        for line in [
            "-r other.txt",
            "--extra-index-url https://example.org",
            "-e .",
        ] {
            let text = requirements_file(line.as_bytes()).unwrap_err().to_string();
            assert!(text.contains("option"), "{text}");
        }
    }

    #[test]
    fn files_have_comments_continued_lines_and_hashes() {
        let digits = "0".repeat(64);
        let file = format!(
            "\u{feff}# a comment\n\nsix==1.16.0 \\\n    --hash=sha256:{digits}  # why\nidna\r\n"
        );
        let found = requirements_file(file.as_bytes()).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].text, "six==1.16.0");
        assert_eq!(found[0].hashes, [format!("sha256:{digits}")]);
        assert_eq!(found[1].text, "idna");
        assert!(requirements_file(b"six --hash=md5:00").is_err());
        assert!(requirements_file("a\n".repeat(300).as_bytes()).is_err());
        assert!(requirements_file(&vec![b'#'; FILE_BYTES_MAX + 1]).is_err());
    }

    proptest! {
        #[test]
        fn any_file_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = requirements_file(&bytes);
        }

        #[test]
        fn what_is_taken_over_is_one_line_without_options(text in "[ -~\n]{0,40}") {
            if let Ok(found) = Requirement::parse(&text) {
                prop_assert!(!found.text.contains('\n') && !found.text.starts_with('-'));
                prop_assert!(!found.text.contains("://"));
                prop_assert_eq!(normalize(&found.name), found.name);
            }
        }
    }
}
