//! What became of a worker that is gone.

use std::os::fd::OwnedFd;

use atoll_jail::{Jail, ProgramEnd};

use super::Lost;
use crate::protocol::{TEXT_BYTES_MAX, tidy};

/// What a worker wrote to its standard error, which it does only when it fails.
pub(super) fn said(last_words: &OwnedFd) -> Option<String> {
    let mut bytes = [0; TEXT_BYTES_MAX];
    let count = rustix::io::read(last_words, &mut bytes).ok()?;
    let text = String::from_utf8_lossy(bytes.get(..count)?);
    let text = tidy(text.trim());
    Some(text).filter(|text| !text.is_empty())
}

/// What has become of the messages inside a worker that is gone.
pub(super) fn lost(jail: &Jail, ended: Option<ProgramEnd>, why: Option<String>) -> Lost {
    let limit = jail.limit_hit();
    let (found, signal) = match ended {
        Some(ProgramEnd::Exited(code)) => (format!("it ended with code {code}"), None),
        Some(ProgramEnd::Signalled(signal)) => (format!("signal {signal} ended it"), Some(signal)),
        None => ("the first process of its jail ended".to_owned(), None),
    };
    let reason = match (why, limit) {
        (Some(why), _) => format!("the WebAssembly worker was ended: {why}"),
        (None, Some(limit)) => {
            format!("the WebAssembly worker ran into its {limit} limit: {found}")
        }
        (None, None) => format!("the WebAssembly worker is gone: {found}"),
    };
    Lost {
        reason,
        limit,
        signal,
    }
}
