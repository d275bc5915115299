//! Installs what a program depends on, and says how far that is.

use std::io::IsTerminal as _;

use atoll_engine::{Engine, InstallProgress, PackageLayer};
use atoll_types::Message;

use crate::args::InstallArgs;
use crate::error::CliError;
use crate::terminal::{complain, size};

/// Goes to the start of the line and erases it (ECMA-48: CR, EL).
const ERASE: &str = "\r\x1b[2K";

/// The layer with what a program depends on, where that is to be installed; on a terminal with a
/// line of progress meanwhile.
pub(crate) async fn packages(
    InstallArgs { install }: InstallArgs,
    engine: &Engine,
    message: &Message,
) -> Result<Option<PackageLayer>, CliError> {
    if !install {
        return Ok(None);
    }
    let is_terminal = std::io::stderr().is_terminal();
    let show = move |progress: InstallProgress| {
        if is_terminal {
            complain(&format!("{ERASE}{}", said(progress)));
        }
    };
    let installed = engine.install(message, &show).await;
    if is_terminal {
        complain(ERASE);
    }
    Ok(installed?)
}

fn said(progress: InstallProgress) -> String {
    match progress {
        InstallProgress::Waiting => "packages: another process installs the same".to_owned(),
        InstallProgress::Resolving { requirements } => {
            format!("packages: finding versions for {requirements} requirements")
        }
        InstallProgress::Downloading { done, total, bytes } => {
            format!(
                "packages: {done} of {total} are here, {} so far",
                size(bytes)
            )
        }
        InstallProgress::Installing { total } => format!("packages: installing {total}"),
        InstallProgress::Verifying { files } => format!("packages: checking {files} files"),
        _ => "packages: working".to_owned(),
    }
}
