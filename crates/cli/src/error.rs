//! What ends the command without an outcome: what is printed, and the exit code.

use std::error::Error;
use std::io;

use atoll_engine::{EngineError, InstallError, InvalidSubmission, OutputError, ReadError};
use atoll_types::MessageId;

use crate::exit;

/// Why a command ends early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    OutputDirectory(#[from] OutputError),
    #[error(transparent)]
    Submission(#[from] InvalidSubmission),
    #[error("failed to write output")]
    Output(#[source] io::Error),
    /// Whoever read the output has gone: not worth a word.
    #[error("the reader of the output went away")]
    OutputClosed,
    #[error("failed to {attempt}")]
    System {
        attempt: &'static str,
        source: io::Error,
    },
    #[error("failed to read the variable {name:?}: it has no value; write NAME=VALUE")]
    VariableWithoutValue { name: String },
    #[error(
        "failed to find a place for history: neither HOME nor XDG_STATE_HOME is set; name one with \
         --state-dir"
    )]
    NoStateDir,
    #[error("failed to find message {id}: the store does not know it; `atoll history` lists them")]
    UnknownMessage { id: MessageId },
    #[error(
        "failed to vary the size: no argument of the program has {{}} for --sizes to fill; write it \
         where the number belongs"
    )]
    NoPlaceForSizes,
    /// Printed in full already.
    #[error("the policy has errors")]
    BadPolicy,
    #[error("failed to measure {subject}: {what}")]
    Bench { subject: String, what: String },
}

impl CliError {
    /// Output errors, with the one that is no error told apart.
    pub(crate) fn output(source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::BrokenPipe {
            Self::OutputClosed
        } else {
            Self::Output(source)
        }
    }

    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::OutputClosed => exit::OUTPUT_CLOSED,
            Self::BadPolicy => exit::BAD_POLICY,
            _ => exit::FAILED,
        }
    }

    /// What to print on standard error: the message with the chain of its sources, and for a
    /// policy where its errors are. Empty for what is not worth a word.
    pub(crate) fn report(&self) -> String {
        match self {
            Self::OutputClosed | Self::BadPolicy => String::new(),
            Self::Engine(EngineError::Policy { name, diagnostics }) => {
                let mut text = format!("error: {}\n", chain(self));
                for diagnostic in diagnostics {
                    text.push_str(&format!("{name}:{diagnostic}\n"));
                }
                text
            }
            _ => format!("error: {}\n", chain(self)),
        }
    }
}

/// A message and its sources, joined by colons. A message that ends in advice (after `; `) keeps
/// it at the end, behind the sources.
pub(crate) fn chain(error: &dyn Error) -> String {
    let own = error.to_string();
    let mut sources = String::new();
    let mut source = error.source();
    while let Some(error) = source {
        sources.push_str(": ");
        sources.push_str(&error.to_string());
        source = error.source();
    }
    match own.split_once("; ") {
        Some((what, advice)) if !sources.is_empty() => format!("{what}{sources}; {advice}"),
        _ => format!("{own}{sources}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_comes_after_the_sources() {
        let error = CliError::Read(ReadError::Open {
            path: "missing.py".into(),
            source: io::Error::from_raw_os_error(2),
        });
        assert_eq!(
            error.report(),
            "error: failed to open missing.py: No such file or directory (os error 2); check the \
             path\n"
        );
        assert_eq!(error.exit_code(), 125);
    }

    #[test]
    fn a_closed_output_is_silent() {
        let error = CliError::output(io::ErrorKind::BrokenPipe.into());
        assert_eq!(error.report(), "");
        assert_eq!(error.exit_code(), 141);
        let full = CliError::output(io::ErrorKind::StorageFull.into());
        assert!(full.report().starts_with("error: failed to write output: "));
    }
}
