//! Values of options: durations, sizes, files with names, variables.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;
use std::str::FromStr;

use atoll_types::{Level, Status};
use bytesize::ByteSize;

/// Every status, in the order of the documentation.
pub(super) const STATUSES: [Status; 5] = [
    Status::Exited,
    Status::Signalled,
    Status::Limit,
    Status::Refused,
    Status::Failed,
];

/// A file for the program's working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InputArgument {
    /// Where it is here.
    pub(crate) path: PathBuf,
    /// What the program sees it as, when that is not its own name.
    pub(crate) name: Option<Vec<u8>>,
}

impl From<OsString> for InputArgument {
    /// The last `=` parts the file from its name, so that a path may have others.
    fn from(text: OsString) -> Self {
        let bytes = text.as_bytes();
        match bytes.iter().rposition(|byte| *byte == b'=') {
            Some(at) => {
                let (path, name) = bytes.split_at(at);
                Self {
                    path: OsString::from_vec(path.to_vec()).into(),
                    name: Some(name.iter().skip(1).copied().collect()),
                }
            }
            None => Self {
                path: text.into(),
                name: None,
            },
        }
    }
}

/// A level whose sandboxes a runtime makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuntimeArgument {
    pub(crate) level: Level,
    pub(crate) name: String,
}

impl FromStr for RuntimeArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (level, name) = text
            .split_once('=')
            .filter(|(_, name)| !name.is_empty())
            .ok_or("give a level and a runtime, such as process=crun")?;
        let known = level.parse().ok().filter(|it| *it != Level::Instance);
        let level = known.ok_or_else(|| format!("{level} is none of process, gvisor and vm"))?;
        Ok(Self {
            level,
            name: name.to_owned(),
        })
    }
}

/// An environment variable. Any bytes; the engine has the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: Vec<u8>,
    /// `None` when there was no `=`.
    pub(crate) value: Option<Vec<u8>>,
}

impl From<OsString> for Variable {
    fn from(text: OsString) -> Self {
        let bytes = text.into_vec();
        match bytes.iter().position(|byte| *byte == b'=') {
            Some(at) => {
                let (name, value) = bytes.split_at(at);
                Self {
                    name: name.to_vec(),
                    value: Some(value.iter().skip(1).copied().collect()),
                }
            }
            None => Self {
                name: bytes,
                value: None,
            },
        }
    }
}

/// A duration with its unit, in whole milliseconds of at least 1.
pub(super) fn milliseconds(text: &str) -> Result<u64, String> {
    let example = "write a number with its unit, such as 5s, 1m or 500ms";
    let duration =
        humantime::parse_duration(text).map_err(|error| format!("{error}; {example}"))?;
    match u64::try_from(duration.as_millis()) {
        Ok(0) => Err("it is less than a millisecond".to_owned()),
        Ok(milliseconds) => Ok(milliseconds),
        Err(_) => Err("it is too long".to_owned()),
    }
}

/// A size in bytes of at least 1.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let example = "write a number with its unit, such as 256MiB or 1GB";
    match ByteSize::from_str(text) {
        Ok(ByteSize(0)) => Err(format!("it is nothing; {example}")),
        // The parser stops at the largest number there is, whatever was written.
        Ok(ByteSize(u64::MAX)) => Err(format!("it is too large; {example}")),
        Ok(size) => Ok(size.as_u64()),
        Err(error) => Err(format!("{error}; {example}")),
    }
}

pub(super) fn status(name: &str) -> Result<Status, Infallible> {
    let found = STATUSES.into_iter().find(|status| status.name() == name);
    // The parser before this one lets only known names through.
    Ok(found.unwrap_or(Status::Failed))
}
