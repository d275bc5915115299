//! Why something is not provided, and what to do about it.
//!
//! `Display` is one sentence that ends with what the user can do. What a tool said itself is kept
//! apart, in [`ProvisionError::detail`].

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use atoll_jail::JailError;

use crate::Language;

/// Why something is not provided.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvisionError {
    /// What the program says of its dependencies cannot be read, or asks for what is never done.
    #[error("failed to read {place}: {problem}")]
    Requirements {
        /// Where it is said.
        place: &'static str,
        /// What is wrong there, and what would be right.
        problem: String,
    },
    /// The registry has no such package.
    #[error(
        "{registry} has no package {name}{}; check its spelling{}",
        if *.guessed { ", which is the name of the module that the program imports" } else { "" },
        if *.guessed { ", or name the package in the program's `# /// script` block" } else { "" }
    )]
    NotFound {
        /// The registry's host.
        registry: String,
        /// The package.
        name: String,
        /// Whether the name is only that of an import.
        guessed: bool,
        /// What the tool said.
        detail: String,
    },
    /// The registry has the package, but not in such a version.
    #[error("there is no version of {name} that fits {wanted}; ask for one that exists")]
    NoSuchVersion {
        /// The package.
        name: String,
        /// What was asked for.
        wanted: String,
        /// What the tool said.
        detail: String,
    },
    /// A name is nearly that of a package that many use.
    #[error(
        "the package {name} is not {known}, whose name it resembles; write {known} if that is \
         meant, else allow {name} by name"
    )]
    Typosquat {
        /// The name that was asked for.
        name: String,
        /// The well-known one.
        known: &'static str,
    },
    /// Requirements contradict each other.
    #[error("the requirements contradict each other; loosen or remove one of them: {reason}")]
    Conflict {
        /// The tool's reasons, the first of them if there are many.
        reason: String,
        /// What the tool said.
        detail: String,
    },
    /// There is only source code, whose building would run it.
    #[error(
        "{name} has no wheel for this interpreter and platform, and nothing is built from source; \
         ask for a version that has one, or install it yourself and pass it with --dependencies"
    )]
    SourceOnly {
        /// The package, with its version if that is known.
        name: String,
        /// What the tool said.
        detail: String,
    },
    /// What was downloaded is not what was locked.
    #[error(
        "{name} has another content than the lock says; nothing of it is used: the registry or \
         what is between has changed it"
    )]
    HashMismatch {
        /// The package, as far as it is known.
        name: String,
        /// What the tool said.
        detail: String,
    },
    /// The registry cannot be reached.
    #[error(
        "failed to reach {registry}; check the network, the proxy and the certificates of this \
         host"
    )]
    Unreachable {
        /// The registry's host.
        registry: String,
        /// What the tool said, or was answered.
        detail: String,
    },
    /// A tool is not on this host.
    #[error("failed to find {tool}; {remedy}")]
    NoTool {
        /// The tool.
        tool: &'static str,
        /// How to get it.
        remedy: &'static str,
    },
    /// The tenant may not have the package.
    #[error(
        "the package {name} is not allowed here{}; ask whoever runs Atoll to allow it",
        if *.direct { "" } else { ", and something that the program asks for needs it" }
    )]
    NotAllowed {
        /// The package.
        name: String,
        /// Whether the program itself asks for it.
        direct: bool,
    },
    /// The interpreter of this host does not fit.
    #[error(
        "{what} needs Python {wanted}, and programs run here with Python {found}; ask for \
         something that fits {found}"
    )]
    PythonVersion {
        /// The program, or the package.
        what: String,
        /// What is asked for.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// A bound was reached.
    #[error("the dependencies need more than {allowed} {of}; ask for fewer or smaller packages")]
    TooLarge {
        /// The bound.
        allowed: u64,
        /// Of what: "bytes of downloads", "files", …
        of: &'static str,
    },
    /// It took too long.
    #[error("failed to {step} within {} s; try again, or allow more time", .after.as_secs())]
    Timeout {
        /// What was going on.
        step: &'static str,
        /// What was allowed.
        after: Duration,
    },
    /// The sandbox for the tool cannot be made, so the tool is not run.
    #[error("failed to make the sandbox that dependencies are installed in")]
    Sandbox(#[source] JailError),
    /// The host's configuration of a registry is not one that is served.
    #[error("failed to use the registry that this host has configured: {problem}")]
    Registry {
        /// What is wrong with it.
        problem: String,
    },
    /// A tool failed in a way that is not known.
    #[error("{tool} failed to {step}; its own words say why: {}", .detail.trim())]
    Tool {
        /// The tool.
        tool: &'static str,
        /// What it was to do.
        step: &'static str,
        /// What it said.
        detail: String,
    },
    /// What a tool left is not what was asked of it.
    #[error("failed to take over what {language} packages were installed: {problem}")]
    Leftovers {
        /// Of which language.
        language: Language,
        /// What is wrong.
        problem: String,
    },
    /// The state directory cannot be used.
    #[error("failed to {attempt} {}", .path.display())]
    Storage {
        /// What was tried.
        attempt: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it did not work.
        #[source]
        source: io::Error,
    },
}

impl ProvisionError {
    /// What the tool said itself, bounded; control characters and credentials are taken out.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::NotFound { detail, .. }
            | Self::NoSuchVersion { detail, .. }
            | Self::Conflict { detail, .. }
            | Self::SourceOnly { detail, .. }
            | Self::HashMismatch { detail, .. }
            | Self::Unreachable { detail, .. }
            | Self::Tool { detail, .. } => Some(detail),
            _ => None,
        }
    }

    /// A stable word for this kind of error, for output that machines read.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Requirements { .. } => "requirements",
            Self::NotFound { .. } => "not_found",
            Self::NoSuchVersion { .. } => "no_such_version",
            Self::Typosquat { .. } => "typosquat",
            Self::Conflict { .. } => "conflict",
            Self::SourceOnly { .. } => "source_only",
            Self::HashMismatch { .. } => "hash_mismatch",
            Self::Unreachable { .. } => "unreachable",
            Self::NoTool { .. } => "no_tool",
            Self::NotAllowed { .. } => "not_allowed",
            Self::PythonVersion { .. } => "python_version",
            Self::TooLarge { .. } => "too_large",
            Self::Timeout { .. } => "timeout",
            Self::Sandbox(_) => "sandbox",
            Self::Registry { .. } => "registry",
            Self::Tool { .. } => "tool",
            Self::Leftovers { .. } => "leftovers",
            Self::Storage { .. } => "storage",
        }
    }
}

/// For `map_err`: an operation on a file of the state directory.
pub(crate) fn storage(
    attempt: &'static str,
    path: &std::path::Path,
) -> impl FnOnce(io::Error) -> ProvisionError {
    let path = path.to_owned();
    move |source| ProvisionError::Storage {
        attempt,
        path,
        source,
    }
}
