//! Layers: directories of installed packages, named by what they are made of, shared by all
//! sandboxes that need them.
//!
//! ```text
//! layers/<hash>/content/   what a program sees: root's, readable for everybody
//! layers/<hash>/manifest   what it holds
//! layers/<hash>/checked    when everything was last compared with the manifest
//! layers/<hash>.lock       held by who uses or makes it; its time is that of the last use
//! building/<hash>/         a layer that is being made, by who holds the lock alone
//! ```

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::error::storage;
use crate::files::{Hold, make_passable, make_private, try_lock};
use crate::lock::Package;
use crate::manifest::Manifest;
use crate::{Observer, Progress, ProvisionError};

/// The directory of a layer that programs see, and the one that tools install into.
pub(crate) const CONTENT: &str = "content";

const MANIFEST: &str = "manifest";
const CHECKED: &str = "checked";
const HASH_DIGITS: usize = 64;

/// How long somebody who waits for a lock sleeps before trying again, and before looking again
/// whether the layer is whole.
const TRY_AGAIN: Duration = Duration::from_millis(20);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// After this time everything in a layer is compared with its manifest again.
const CHECK_AGAIN: Duration = Duration::from_secs(24 * 3600);

/// A layer in use. While it is held, nobody removes the layer.
#[derive(Debug)]
pub struct Layer {
    directory: PathBuf,
    hash: String,
    packages: Vec<Package>,
    bytes: u64,
    files: u64,
    _in_use: File,
}

impl Layer {
    /// The directory to show to a program: what `PYTHONPATH` is to name, or the directory that
    /// holds `node_modules`.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.join(CONTENT)
    }

    /// What it is made of: 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The packages in it, in the order of their names.
    #[must_use]
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// Bytes of all its files.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many files it has.
    #[must_use]
    pub const fn files(&self) -> u64 {
        self.files
    }
}

/// How long somebody waits for a layer that others make, and who is told.
#[derive(Clone, Copy)]
pub(crate) struct Wait<'a> {
    pub(crate) observer: &'a dyn Observer,
    pub(crate) until: Instant,
    /// The time that was allowed in all.
    pub(crate) wall_time: Duration,
}

/// What somebody gets who asks for a layer.
pub(crate) enum Taken {
    /// The layer.
    Layer(Layer),
    /// The right to make it.
    Site(Site),
}

/// A layer that is being made. Dropping it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Site {
    directory: PathBuf,
    building: PathBuf,
    lock_path: PathBuf,
    kept: bool,
    _alone: File,
}

/// What a collection removed, and what is left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Layers that were removed.
    pub removed: u64,
    /// Their bytes.
    pub removed_bytes: u64,
    /// Layers that are left.
    pub left: u64,
    /// Their bytes.
    pub left_bytes: u64,
}

/// The layers below a state directory.
#[derive(Debug, Clone)]
pub(crate) struct Layers {
    layers: PathBuf,
    building: PathBuf,
}

impl Layers {
    pub(crate) fn below(state: &Path) -> Self {
        Self {
            layers: state.join("layers"),
            building: state.join("building"),
        }
    }

    fn directory(&self, hash: &str) -> PathBuf {
        self.layers.join(hash)
    }

    fn lock_path(&self, hash: &str) -> PathBuf {
        self.layers.join(format!("{hash}.lock"))
    }

    /// A layer that is there, whole as far as a quick look tells, and was looked at whole not long
    /// ago. Never waits.
    pub(crate) fn known(&self, hash: &str) -> Option<Layer> {
        if !self.directory(hash).is_dir() {
            return None;
        }
        let held = try_lock(&self.lock_path(hash), Hold::Together).ok()??;
        self.open(hash, held, None).ok()
    }

    /// A layer that is there, or the right to make it, which one of those has who ask at the same
    /// time.
    pub(crate) async fn take(&self, hash: &str, wait: Wait<'_>) -> Result<Taken, ProvisionError> {
        make_passable(&self.layers).map_err(storage("make", &self.layers))?;
        make_private(&self.building).map_err(storage("make", &self.building))?;
        let (path, directory) = (self.lock_path(hash), self.directory(hash));
        let failed = |error| storage("lock", &path)(error);
        let (mut told, mut look_again) = (false, Instant::now());
        loop {
            if directory.is_dir() && Instant::now() >= look_again {
                if let Some(held) = try_lock(&path, Hold::Together).map_err(failed)?
                    && let Ok(layer) = self.open(hash, held, Some(wait.observer))
                {
                    return Ok(Taken::Layer(layer));
                }
                // It is being made, or damaged: then it is made anew once nobody uses it.
                look_again = Instant::now() + LOOK_AGAIN;
            }
            if let Some(alone) = try_lock(&path, Hold::Alone).map_err(failed)? {
                if self.is_whole(hash, Some(wait.observer)).is_none() {
                    return self.begin(hash, alone).map(Taken::Site);
                }
                drop(alone);
                look_again = Instant::now();
                continue;
            }
            if !told {
                told = true;
                wait.observer.progress(Progress::Waiting);
            }
            if Instant::now() >= wait.until {
                return Err(ProvisionError::Timeout {
                    step: "get a layer that others make or use",
                    after: wait.wall_time,
                });
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }

    /// Makes room for a layer, whatever is there.
    fn begin(&self, hash: &str, alone: File) -> Result<Site, ProvisionError> {
        let site = Site {
            directory: self.directory(hash),
            building: self.building.join(hash),
            lock_path: self.lock_path(hash),
            kept: false,
            _alone: alone,
        };
        remove_tree(&site.directory)?;
        remove_tree(&site.building)?;
        make_passable(&site.building).map_err(storage("make", &site.building))?;
        Ok(site)
    }

    /// What a layer holds, if it is as it was made: a quick look, and once a day a whole one, which
    /// only happens where there is somebody to be told.
    fn is_whole(&self, hash: &str, observer: Option<&dyn Observer>) -> Option<Manifest> {
        let directory = self.directory(hash);
        let content = directory.join(CONTENT);
        let manifest = Manifest::read(&directory.join(MANIFEST))?;
        let checked = directory.join(CHECKED);
        let age = fs::metadata(&checked).and_then(|found| found.modified());
        let now = SystemTime::now();
        let age = age.ok().and_then(|time| now.duration_since(time).ok());
        if age.is_some_and(|age| age < CHECK_AGAIN) {
            let turn = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
            let turn = usize::try_from(turn.as_millis() % 1_000_003).ok()?;
            return manifest.looks_whole(&content, turn).then_some(manifest);
        }
        observer?.progress(Progress::Verifying {
            files: manifest.head.files,
        });
        if !manifest.is_whole(&content) {
            return None;
        }
        let marked = File::create(&checked).and_then(|file| file.set_modified(now));
        marked.ok().map(|()| manifest)
    }

    fn open(
        &self,
        hash: &str,
        held: File,
        observer: Option<&dyn Observer>,
    ) -> Result<Layer, io::Error> {
        let manifest = self.is_whole(hash, observer);
        let manifest = manifest.ok_or(io::ErrorKind::InvalidData)?;
        // The last use decides what is removed first; where this fails, an earlier one does.
        let _ = held.set_modified(SystemTime::now());
        Ok(Layer {
            directory: self.directory(hash),
            hash: hash.to_owned(),
            packages: manifest.head.packages,
            bytes: manifest.head.bytes,
            files: manifest.head.files,
            _in_use: held,
        })
    }

    /// Compares everything in a layer with what was written down of it.
    pub(crate) fn verify(&self, layer: &Layer) -> bool {
        let directory = self.directory(&layer.hash);
        let manifest = Manifest::read(&directory.join(MANIFEST));
        let whole = manifest.is_some_and(|found| found.is_whole(&directory.join(CONTENT)));
        if !whole {
            // So that the next who asks does not take it for whole.
            let _ = fs::remove_file(directory.join(CHECKED));
        }
        whole
    }

    /// Removes those that were not used for longest until the others have no more than so many
    /// bytes, and what was left of building. What is in use stays.
    pub(crate) fn collect(&self, bytes_max: u64) -> Result<Collected, ProvisionError> {
        let mut collected = Collected::default();
        let mut found = self.found()?;
        found.sort();
        let mut bytes: u64 = found.iter().map(|(_, _, bytes)| bytes).sum();
        for (_, hash, own) in &found {
            if bytes > bytes_max && self.remove(hash)? {
                bytes = bytes.saturating_sub(*own);
                collected.removed += 1;
                collected.removed_bytes += own;
            } else {
                collected.left += 1;
                collected.left_bytes += own;
            }
        }
        self.sweep()?;
        Ok(collected)
    }

    /// All layers: when each was last used, its name, and its bytes.
    fn found(&self) -> Result<Vec<(SystemTime, String, u64)>, ProvisionError> {
        let mut found = Vec::new();
        for hash in names(&self.layers)? {
            let path = self.lock_path(&hash);
            if hash.len() != HASH_DIGITS || !self.directory(&hash).is_dir() {
                continue;
            }
            let used = fs::metadata(&path).and_then(|metadata| metadata.modified());
            let written = fs::read_to_string(&path).ok();
            let bytes = written.and_then(|text| text.trim().parse().ok());
            // One that nothing is known of goes first, and counts for what it holds.
            let bytes = bytes.unwrap_or_else(|| {
                let manifest = Manifest::read(&self.directory(&hash).join(MANIFEST));
                manifest.map_or(0, |manifest| manifest.head.bytes)
            });
            found.push((used.unwrap_or(SystemTime::UNIX_EPOCH), hash, bytes));
        }
        Ok(found)
    }

    /// Removes a layer unless it is in use.
    fn remove(&self, hash: &str) -> Result<bool, ProvisionError> {
        let path = self.lock_path(hash);
        let Some(alone) = try_lock(&path, Hold::Alone).map_err(storage("lock", &path))? else {
            return Ok(false);
        };
        remove_tree(&self.directory(hash))?;
        fs::remove_file(&path).map_err(storage("remove", &path))?;
        drop(alone);
        Ok(true)
    }

    /// Removes what processes left that ended while they built.
    fn sweep(&self) -> Result<(), ProvisionError> {
        for hash in names(&self.building)? {
            let path = self.lock_path(&hash);
            let alone = try_lock(&path, Hold::Alone).map_err(storage("lock", &path))?;
            if alone.is_some() {
                remove_tree(&self.building.join(&hash))?;
                if !self.directory(&hash).is_dir() {
                    let _ = fs::remove_file(&path);
                }
            }
        }
        Ok(())
    }
}

impl Site {
    /// The directory to make the content in, which is not there yet.
    pub(crate) fn content(&self) -> PathBuf {
        self.building.join(CONTENT)
    }

    /// Keeps what was made as the layer.
    pub(crate) fn keep(mut self, manifest: &Manifest) -> Result<(), ProvisionError> {
        let written = manifest
            .write(&self.building.join(MANIFEST))
            .and_then(|()| fs::write(self.building.join(CHECKED), b""))
            .and_then(|()| fs::write(&self.lock_path, manifest.head.bytes.to_string()))
            .and_then(|()| fs::rename(&self.building, &self.directory));
        self.kept = written.is_ok();
        written.map_err(storage("keep", &self.building))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if !self.kept {
            // Whoever comes next removes what cannot be removed now.
            let _ = remove_tree(&self.building);
            let _ = fs::remove_file(&self.lock_path);
        }
    }
}

/// Removes a directory, if it is there.
fn remove_tree(path: &Path) -> Result<(), ProvisionError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(storage("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// What is in a directory, which may not be there.
fn names(directory: &Path) -> Result<BTreeSet<String>, ProvisionError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries.map_err(storage("read", directory))?,
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    Ok(names.filter_map(|name| name.into_string().ok()).collect())
}
