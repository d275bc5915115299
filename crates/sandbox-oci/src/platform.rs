//! Which platform of gVisor works on this host: found out by running a container, remembered for as
//! long as the runtime and the kernel are the same.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use atoll_jail::{Jail, JailError, Root, Running};
use atoll_types::{Layer, Limits};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::sync::Mutex as AsyncMutex;

use crate::container;
use crate::runtime::{Identity, Platform, Runtime};

/// A container starts within a second; on some hosts one of the wrong platform never ends.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the tried container writes.
const WORD: &str = "works";

/// More than is written about a failure that anybody reads.
const TEXT_BYTES_MAX: u64 = 4096;

/// The file that remembers.
const MEMORY: &str = "gvisor-platform.json";

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    runtime: Identity,
    platform: Platform,
}

/// The platform of this host, once it is known.
#[derive(Debug, Default)]
pub(crate) struct Platforms {
    directory: Mutex<Option<PathBuf>>,
    found: AsyncMutex<Option<Platform>>,
}

/// Why there is no platform: what was said of each.
pub(crate) type Reasons = String;

impl Platforms {
    /// Names where to remember.
    pub(crate) fn keep_in(&self, directory: &Path) {
        let mut kept = self
            .directory
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *kept = Some(directory.join(MEMORY));
    }

    /// The best platform that works. Tries them when nothing is remembered.
    pub(crate) async fn find(
        &self,
        runtime: &Runtime,
        root: &Root,
        accept_missing: &BTreeSet<Layer>,
    ) -> Result<Platform, Reasons> {
        let mut found = self.found.lock().await;
        if let Some(platform) = *found {
            return Ok(platform);
        }
        let kept = self.directory.lock();
        let kept = kept.unwrap_or_else(PoisonError::into_inner).clone();
        let identity = runtime.identity().ok();
        let known = recall(kept.as_deref(), identity.as_ref());
        let platform = match known {
            Some(platform) => platform,
            None => first_that_works(runtime, root, accept_missing).await?,
        };
        *found = Some(platform);
        if let (None, Some(path), Some(runtime)) = (known, kept, identity) {
            // Another process finds it out again otherwise.
            let _ = remember(&path, &Remembered { runtime, platform });
        }
        Ok(platform)
    }
}

fn recall(path: Option<&Path>, identity: Option<&Identity>) -> Option<Platform> {
    let text = fs::read(path?).ok()?;
    let remembered: Remembered = serde_json::from_slice(&text).ok()?;
    (Some(&remembered.runtime) == identity).then_some(remembered.platform)
}

/// Others read all of it or nothing.
fn remember(path: &Path, what: &Remembered) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(directory)?;
    let temporary = path.with_extension(format!("{}.new", std::process::id()));
    let written = fs::File::create(&temporary)
        .and_then(|mut file| file.write_all(&serde_json::to_vec(what)?))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

async fn first_that_works(
    runtime: &Runtime,
    root: &Root,
    accept_missing: &BTreeSet<Layer>,
) -> Result<Platform, Reasons> {
    let mut reasons = Vec::new();
    for platform in Platform::ALL {
        if !platform.is_conceivable() {
            reasons.push(format!("{platform}: its device is not there"));
            continue;
        }
        match run_something(runtime, Some(platform), root, accept_missing).await {
            Ok(()) => return Ok(platform),
            Err(reason) => reasons.push(format!("{platform}: {reason}")),
        }
    }
    Err(reasons.join("; "))
}

/// Runs a container that writes a word.
pub(crate) async fn run_something(
    runtime: &Runtime,
    platform: Option<Platform>,
    root: &Root,
    accept_missing: &BTreeSet<Layer>,
) -> Result<(), String> {
    let beginning = container::begin("probe", runtime, root, None).map_err(|e| tell(&e))?;
    let jail = beginning.finish(LIMITS, accept_missing).await;
    let mut jail = jail.map_err(|error| tell(&error))?;
    let told = hear(&mut jail, runtime, platform).await;
    let removed = jail.destroy().await;
    told?;
    removed.map_err(|error| format!("its container could not be removed: {error}"))
}

async fn hear(
    jail: &mut Jail,
    runtime: &Runtime,
    platform: Option<Platform>,
) -> Result<(), String> {
    let command = ["/bin/sh", "-c", "echo works"];
    let running = container::start(jail, runtime, platform, &command, &LIMITS).await;
    let running = running.map_err(|error| tell(&error))?;
    let said = tokio::time::timeout(PATIENCE, read(running)).await;
    let Ok(said) = said else {
        return Err(format!("no container starts within {PATIENCE:?}"));
    };
    let (output, errors) = said.map_err(|error| error.to_string())?;
    if output.trim() == WORD {
        return Ok(());
    }
    let last = errors.lines().rev().find(|line| !line.trim().is_empty());
    Err(last
        .unwrap_or("no container starts, and nobody says why")
        .to_owned())
}

async fn read(running: Running) -> io::Result<(String, String)> {
    drop(running.stdin);
    let stdout = pipe::Receiver::from_owned_fd(running.stdout)?;
    let stderr = pipe::Receiver::from_owned_fd(running.stderr)?;
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let (mut stdout, mut stderr) = (stdout.take(TEXT_BYTES_MAX), stderr.take(TEXT_BYTES_MAX));
    tokio::try_join!(
        stdout.read_to_end(&mut output),
        stderr.read_to_end(&mut errors)
    )?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((text(output), text(errors)))
}

fn tell(error: &JailError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// Room for a container that does next to nothing.
const LIMITS: Limits = Limits {
    wall_time_ms: 60_000,
    cpu_time_ms: 60_000,
    cpu_percent: 1_000,
    memory_bytes: 512 << 20,
    processes: 64,
    disk_bytes: 4 << 20,
    disk_files: 64,
    output_bytes: 1 << 20,
    open_files: 256,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_runtime_is_tried_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep").join(MEMORY);
        let binary = directory.path().join("runsc");
        fs::write(&binary, "one").unwrap();
        std::os::unix::fs::PermissionsExt::set_mode(
            &mut fs::metadata(&binary).unwrap().permissions(),
            0o755,
        );
        let identity = |name: &str| {
            let runtime = Runtime::find("sh").unwrap();
            let mut identity = serde_json::to_value(runtime.identity().unwrap()).unwrap();
            identity["kernel"] = name.into();
            serde_json::from_value::<Identity>(identity).unwrap()
        };
        let runtime = identity("this kernel");
        let platform = Platform::Ptrace;
        assert_eq!(recall(Some(&path), Some(&runtime)), None);
        remember(
            &path,
            &Remembered {
                runtime: runtime.clone(),
                platform,
            },
        )
        .unwrap();
        assert_eq!(recall(Some(&path), Some(&runtime)), Some(platform));
        assert_eq!(recall(Some(&path), Some(&identity("another"))), None);
        assert_eq!(recall(Some(&path), None), None);
        fs::write(&path, "not what was written").unwrap();
        assert_eq!(recall(Some(&path), Some(&runtime)), None);
    }
}
