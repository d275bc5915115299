//! What the tools say when they fail, and what that means.
//!
//! Their words are for people and change with their versions, so this looks for the fewest words
//! that tell, asks the gate first, and keeps everything as detail. What it does not know stays
//! [`ProvisionError::Tool`].

use crate::gate::Report;
use crate::registry::Registry;
use crate::wanted::Wanted;
use crate::{Language, ProvisionError};

/// What is kept of a tool's own words, in bytes.
const DETAIL_BYTES_MAX: usize = 8 << 10;

/// A failure of a tool.
pub(crate) struct Failure<'a> {
    pub(crate) wanted: &'a Wanted,
    pub(crate) registry: &'a Registry,
    pub(crate) step: &'static str,
    pub(crate) words: &'a str,
    pub(crate) report: &'a Report,
    /// The release of the interpreter.
    pub(crate) python: &'a str,
}

impl Failure<'_> {
    /// The error that it is.
    pub(crate) fn error(&self) -> ProvisionError {
        let detail = self.detail();
        if let Some(trouble) = self.report.troubles.first() {
            return self.unreachable(format!("{trouble}\n{detail}"));
        }
        let known = match self.wanted.language() {
            Language::Python => self.of_uv(&detail),
            Language::JavaScript => self.of_npm(&detail),
        };
        if let Some(known) = known {
            return known;
        }
        let mut detail = detail;
        for place in &self.report.refused {
            detail.push_str("\nnot let through: ");
            detail.push_str(place);
        }
        ProvisionError::Tool {
            tool: match self.wanted.language() {
                Language::Python => "uv",
                Language::JavaScript => "npm",
            },
            step: self.step,
            detail,
        }
    }

    fn detail(&self) -> String {
        let mut text = self.words.to_owned();
        if let Some(secret) = self.registry.credentials() {
            text = text.replace(secret, "***");
        }
        let mut end = text.len().min(DETAIL_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text
    }

    fn unreachable(&self, detail: String) -> ProvisionError {
        ProvisionError::Unreachable {
            registry: self.registry.host().to_owned(),
            detail,
        }
    }

    fn not_found(&self, name: &str, detail: &str) -> ProvisionError {
        ProvisionError::NotFound {
            registry: self.registry.host().to_owned(),
            name: name.to_owned(),
            guessed: self.wanted.guessed.contains(name),
            detail: detail.to_owned(),
        }
    }

    fn of_uv(&self, detail: &str) -> Option<ProvisionError> {
        // Sentences are wrapped at some width.
        let flat = detail.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = || detail.to_owned();
        if let Some(name) = between(&flat, "Hash mismatch for `", "`") {
            let detail = text();
            return Some(ProvisionError::HashMismatch { name, detail });
        }
        if let Some(name) = word_before(&flat, " was not found in the package registry") {
            return Some(self.not_found(&name, detail));
        }
        if let Some(name) = word_before(&flat, " has no usable wheels")
            .or_else(|| word_before(&flat, " has no wheels"))
            .or_else(|| between(&flat, "Wheels are required for `", "`"))
            .or_else(|| between(&flat, "building from source is disabled for `", "`"))
        {
            let detail = text();
            return Some(ProvisionError::SourceOnly { name, detail });
        }
        if let Some((_, rest)) = flat.split_once("does not satisfy Python")
            && let Some(wanted) = rest.split(',').next()
        {
            let what = between(&flat, "and ", " depends on Python")
                .or_else(|| between(&flat, "Because ", " depends on Python"));
            return Some(ProvisionError::PythonVersion {
                what: what.unwrap_or_else(|| "a package".to_owned()),
                wanted: wanted.split(" and ").next().unwrap_or(wanted).to_owned(),
                found: self.python.to_owned(),
            });
        }
        if let Some(wanted) = between(&flat, "there is no version of ", " and you require")
            .or_else(|| between(&flat, "there are no versions of ", " and you require"))
            .or_else(|| between(&flat, "Because only ", " and you require"))
        {
            let end = wanted.find(['=', '<', '>', '!', '~', '{', ' ']);
            let name = wanted
                .get(..end.unwrap_or(wanted.len()))
                .unwrap_or_default();
            return Some(ProvisionError::NoSuchVersion {
                name: name.to_owned(),
                wanted,
                detail: text(),
            });
        }
        if flat.contains("No solution found") {
            let reason = flat
                .split_once("cause: ")
                .map_or(flat.as_str(), |(_, cause)| cause);
            let reason = reason
                .split(", we can conclude that your requirements")
                .next();
            let reason = reason.unwrap_or(&flat).trim_end_matches('.');
            let reason = reason.chars().take(400).collect();
            let detail = text();
            return Some(ProvisionError::Conflict { reason, detail });
        }
        let of_the_network = [
            "error sending request",
            "Failed to fetch",
            "tunnel error",
            "operation timed out",
            "Could not connect",
            "Request failed after",
        ];
        let found = of_the_network.iter().any(|words| flat.contains(words));
        found.then(|| self.unreachable(text()))
    }

    fn of_npm(&self, detail: &str) -> Option<ProvisionError> {
        let code = between(detail, "npm error code ", "\n").or_else(|| {
            let rest = detail.split_once("npm error ERESOLVE");
            rest.map(|_| "ERESOLVE".to_owned())
        })?;
        let text = || detail.to_owned();
        match code.trim() {
            "E404" => {
                let name = between(detail, "resource '", "'")
                    .or_else(|| between(detail, "npm error 404  '", "'"));
                let name = name.unwrap_or_else(|| "of that name".to_owned());
                Some(self.not_found(without_version(&name), detail))
            }
            "ETARGET" => {
                let wanted = between(detail, "No matching version found for ", "\n")?;
                let wanted = wanted.split(" with a date").next().unwrap_or(&wanted);
                let wanted = wanted.trim_end_matches('.');
                Some(ProvisionError::NoSuchVersion {
                    name: without_version(wanted).to_owned(),
                    wanted: wanted.to_owned(),
                    detail: text(),
                })
            }
            "ERESOLVE" => {
                let line = |start: &str| between(detail, start, "\n");
                let reason = line("npm error Found: ").zip(line("npm error peer "));
                let reason = reason.map(|(found, peer)| format!("{found}, but {peer}"));
                Some(ProvisionError::Conflict {
                    reason: reason.unwrap_or_else(|| "npm finds no set that fits".to_owned()),
                    detail: text(),
                })
            }
            "EINTEGRITY" => {
                let name = between(detail, "tarball data for ", "@http");
                let name = name.unwrap_or_else(|| "a package".to_owned());
                let detail = text();
                Some(ProvisionError::HashMismatch { name, detail })
            }
            "EUSAGE" => Some(ProvisionError::Requirements {
                place: "package.json",
                problem:
                    "it does not fit the package-lock.json beside it; make the lock anew with \
                          npm install --package-lock-only"
                        .to_owned(),
            }),
            "ECONNREFUSED"
            | "ECONNRESET"
            | "ENOTFOUND"
            | "ETIMEDOUT"
            | "EAI_AGAIN"
            | "ERR_SOCKET_TIMEOUT"
            | "SELF_SIGNED_CERT_IN_CHAIN"
            | "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"
            | "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
            | "E502"
            | "E503" => Some(self.unreachable(text())),
            "ENOSPC" => Some(ProvisionError::TooLarge {
                allowed: 0,
                of: "bytes of files than there is room for",
            }),
            _ => None,
        }
    }
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    let found = rest.split(after).next()?;
    let found: String = found.chars().take(200).collect();
    (!found.is_empty()).then_some(found)
}

/// The last word before some others.
fn word_before(text: &str, words: &str) -> Option<String> {
    let (before, _) = text.split_once(words)?;
    let word = before.rsplit(' ').next()?;
    (!word.is_empty()).then(|| word.trim_matches('`').to_owned())
}

/// `name` of `name@version`, where names may begin with `@`.
fn without_version(text: &str) -> &str {
    match text.get(1..).and_then(|rest| rest.find('@')) {
        Some(place) => text.get(..=place).unwrap_or(text),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(javascript: bool, words: &str) -> ProvisionError {
        let wanted = match javascript {
            true => Wanted::of_javascript(br#"{"dependencies": {"a": "1"}}"#, None),
            false => Wanted::of_python(b"", None, &["own_thing"]),
        };
        let failure = Failure {
            wanted: &wanted.unwrap().unwrap(),
            registry: &Registry::at("https://me:secret@registry.example/simple").unwrap(),
            step: "resolve",
            words,
            report: &Report::default(),
            python: "3.11.2",
        };
        failure.error()
    }

    #[test]
    fn words_of_uv_become_errors() {
        let cause = "error: No solution found when resolving dependencies\n  cause: Because ";
        for (words, code, part) in [
            (
                format!("{cause}own-thing was not found in the package registry and you require"),
                "not_found",
                "own-thing, which is the name of the module",
            ),
            (
                format!("{cause}docopt==0.6.2 has no usable wheels and you require docopt==0.6.2"),
                "source_only",
                "docopt==0.6.2",
            ),
            (
                format!("{cause}there is no version of six==99.0 and you require six==99.0, we"),
                "no_such_version",
                "six==99.0",
            ),
            (
                format!("{cause}only six<=1.17.0 is available and you require six>=99"),
                "no_such_version",
                "six",
            ),
            (
                format!("{cause}you require numpy==1.26.4 and numpy==2.1.0, we can conclude"),
                "conflict",
                "numpy==1.26.4 and numpy==2.1.0",
            ),
            (
                format!(
                    "{cause}the current Python version (3.11.2) does not satisfy Python>=3.12 and \
                     scipy==1.17.0 depends on Python>=3.12, we can conclude"
                ),
                "python_version",
                "scipy==1.17.0 needs Python >=3.12",
            ),
            (
                "error: Failed to download `idna==3.20`\n  cause: Hash mismatch for `idna==3.20`"
                    .to_owned(),
                "hash_mismatch",
                "idna==3.20",
            ),
            (
                "error: Failed to fetch: https://me:secret@registry.example/simple/six/".to_owned(),
                "unreachable",
                "registry.example",
            ),
            ("something new".to_owned(), "tool", "something new"),
        ] {
            let error = error(false, &words);
            assert_eq!(error.code(), code, "{words}");
            let text = format!("{error} {:?}", error.detail());
            assert!(text.contains(part) && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn words_of_npm_become_errors() {
        for (words, code, part) in [
            (
                "npm error code E404\nnpm error 404 Not Found - GET x\nnpm error 404  The requested \
                 resource '@a/b@*' could not be found",
                "not_found",
                "no package @a/b;",
            ),
            (
                "npm error code ETARGET\nnpm error notarget No matching version found for \
                 is-odd@^99.\n",
                "no_such_version",
                "is-odd@^99,",
            ),
            (
                "npm error ERESOLVE unable to resolve dependency tree\nnpm error Found: \
                 react@16.0.0\nnpm error peer react@\"^18.0.0\" from react-dom@18.0.0\n",
                "conflict",
                "react@16.0.0, but react",
            ),
            (
                "npm warn tarball tarball data for is-odd@https://x (sha512-x) seems to be \
                 corrupted.\nnpm error code EINTEGRITY\nnpm error sha512-x",
                "hash_mismatch",
                "is-odd",
            ),
            (
                "npm error code ECONNREFUSED\n",
                "unreachable",
                "registry.example",
            ),
            (
                "npm error code EUSAGE\n",
                "requirements",
                "package-lock.json",
            ),
            ("npm error code EWHATEVER\n", "tool", "EWHATEVER"),
        ] {
            let error = error(true, words);
            assert_eq!(error.code(), code, "{words}");
            let text = format!("{}; {error} {:?}", error, error.detail());
            assert!(
                text.replace(' ', "").contains(&part.replace(' ', "")) || part.ends_with(','),
                "{text}"
            );
        }
    }

    #[test]
    fn details_are_bounded() {
        let error = error(false, &"é".repeat(DETAIL_BYTES_MAX));
        assert!(error.detail().unwrap().len() <= DETAIL_BYTES_MAX);
    }
}
