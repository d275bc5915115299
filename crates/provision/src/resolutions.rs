//! Locks that were resolved before, so that a known program waits for nobody.
//!
//! A resolution is known under a hash of what was asked for, of the tool, the interpreter and the
//! registry. It holds for the day (UTC) on which it was made; on another it is made again, and kept
//! for a while for the case that the registry cannot be reached.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::files::{make_private, write_whole};
use crate::lock::Lock;

/// How long resolutions are kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// How many are kept.
const COUNT_MAX: usize = 10_000;

/// A resolution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resolution {
    /// The day on which it was made, counted from 1970-01-01.
    pub(crate) day: u64,
    pub(crate) lock: Lock,
    /// The layer that it makes.
    pub(crate) layer: String,
}

/// The resolutions below a state directory, which is its owner's alone.
#[derive(Debug, Clone)]
pub(crate) struct Resolutions {
    directory: PathBuf,
}

impl Resolutions {
    pub(crate) fn below(state: &Path) -> Self {
        Self {
            directory: state.join("locks"),
        }
    }

    fn path(&self, key: &blake3::Hash) -> PathBuf {
        self.directory.join(format!("{}.json", key.to_hex()))
    }

    /// What is known under a key, of whichever day.
    pub(crate) fn read(&self, key: &blake3::Hash) -> Option<Resolution> {
        let text = fs::read(self.path(key)).ok()?;
        let (hash, text) = text.split_at_checked(64)?;
        if blake3::hash(text).to_hex().as_bytes() != hash {
            return None;
        }
        serde_json::from_slice(text).ok()
    }

    /// Keeps one. Where that fails it will be made again.
    pub(crate) fn write(&self, key: &blake3::Hash, resolution: &Resolution) {
        let Ok(text) = serde_json::to_vec(resolution) else {
            return;
        };
        let hash = blake3::hash(&text).to_hex();
        let whole = [hash.as_bytes(), &text].concat();
        let _ = make_private(&self.directory).and_then(|()| write_whole(&self.path(key), &whole));
    }

    /// Removes those that are too old, and the oldest of too many.
    pub(crate) fn collect(&self) {
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return;
        };
        let now = SystemTime::now();
        let mut kept = Vec::new();
        for entry in entries.flatten() {
            let Ok(written) = entry.metadata().and_then(|found| found.modified()) else {
                continue;
            };
            if now.duration_since(written).is_ok_and(|age| age > KEPT) {
                let _ = fs::remove_file(entry.path());
            } else {
                kept.push((written, entry.path()));
            }
        }
        kept.sort();
        let surplus = kept.len().saturating_sub(COUNT_MAX);
        for (_, path) in kept.into_iter().take(surplus) {
            let _ = fs::remove_file(path);
        }
    }
}

/// The day of a time, counted from 1970-01-01.
pub(crate) fn day_of(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() / (24 * 3600))
}
