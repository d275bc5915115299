//! What a layer holds, written down when it was made.
//!
//! ```text
//! <hash of everything below>
//! {"version": …, "language": …, "packages": […], "bytes": …, "files": …}
//! <hash> <bytes> <path>          one line for each file
//! ```
//!
//! With a hash of its own, a damaged manifest is told from a damaged layer. Files are lines, so
//! that a look at some of them does not take the time of all. Times of files are the same
//! everywhere: another time is another content.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use atoll_jail::{Leaving, Leavings};
use serde::{Deserialize, Serialize};

use crate::error::storage;
use crate::lock::Package;
use crate::{InstallLimits, Language, ProvisionError};

/// The time of every file of a layer: the first that every archive can hold, 1980-01-01.
const FILE_TIME_S: u64 = 315_532_800;

/// The largest manifest that is read, in bytes.
const MANIFEST_BYTES_MAX: u64 = 64 << 20;

/// What a quick look covers at most; the rest is left to the daily one.
const QUICK_LOOK_MAX: usize = 128;

/// What is said of a layer as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) version: u32,
    pub(crate) language: String,
    pub(crate) packages: Vec<Package>,
    pub(crate) bytes: u64,
    pub(crate) files: u64,
}

/// What a layer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) head: Head,
    /// A line for each file.
    list: String,
}

/// One file of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileEntry<'a> {
    hash: &'a str,
    bytes: u64,
    /// Below the content's directory.
    path: &'a str,
}

const VERSION: u32 = 1;

/// Copies what a tool left below `from` to `to` in a directory, and writes down what it is. Both
/// are prefixes of paths, with a slash at the end unless empty.
pub(crate) fn take_over(
    leavings: Leavings,
    (from, to): (&str, &str),
    into: &Path,
    language: Language,
    packages: &[Package],
    limits: &InstallLimits,
) -> Result<Manifest, ProvisionError> {
    let mut head = Head {
        version: VERSION,
        language: language.to_string(),
        packages: packages.to_vec(),
        bytes: 0,
        files: 0,
    };
    let mut list = String::new();
    make_open(into).map_err(storage("make", into))?;
    for Leaving { path, file } in leavings {
        let odd = |problem: String| ProvisionError::Leftovers { language, problem };
        let shown = path.escape_ascii().to_string();
        let path = String::from_utf8(path).ok();
        let path = path.filter(|path| !path.contains(char::is_control));
        let path = path.ok_or_else(|| odd(format!("{shown} is not a plain name of a file")))?;
        let Some(inner) = path.strip_prefix(from) else {
            continue;
        };
        // Locks and notes of the tools themselves.
        if [".lock", ".package-lock.json"].contains(&inner) {
            continue;
        }
        let left = file.map_err(|reason| odd(format!("{shown} was left out: {reason:?}")))?;
        head.bytes = head.bytes.saturating_add(left.bytes);
        check_size(&head, limits)?;
        head.files += 1;
        let path = format!("{to}{inner}");
        let copied = copy_file(left.content, left.bytes, left.executable, into, &path);
        let (bytes, hash) = copied.map_err(storage("write", &into.join(&path)))?;
        let _ = writeln!(list, "{hash} {bytes} {path}");
    }
    Ok(Manifest { head, list })
}

fn check_size(head: &Head, limits: &InstallLimits) -> Result<(), ProvisionError> {
    let too_large = |allowed, of| Err(ProvisionError::TooLarge { allowed, of });
    if head.bytes > limits.layer_bytes {
        return too_large(limits.layer_bytes, "bytes of files");
    }
    if head.files >= limits.layer_files {
        return too_large(limits.layer_files, "files");
    }
    Ok(())
}

/// Copies a file, and answers with its length and hash. Everybody may read it.
fn copy_file(
    from: File,
    bytes: u64,
    executable: bool,
    into: &Path,
    inner: &str,
) -> io::Result<(u64, String)> {
    let target = into.join(inner);
    if let Some(parent) = target.parent().filter(|parent| *parent != into) {
        make_open(parent)?;
    }
    let mode = if executable { 0o755 } else { 0o644 };
    let mut written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&target)?;
    let mut hasher = blake3::Hasher::new();
    let mut from = from.take(bytes);
    let mut piece = vec![0; 64 << 10];
    let mut copied = 0;
    loop {
        let count = from.read(&mut piece)?;
        let read = piece.get(..count).unwrap_or_default();
        if read.is_empty() {
            break;
        }
        hasher.update(read);
        written.write_all(read)?;
        copied += count as u64;
    }
    // Whatever the mask of this process is.
    written.set_permissions(fs::Permissions::from_mode(mode))?;
    written.set_modified(file_time())?;
    Ok((copied, hasher.finalize().to_hex().to_string()))
}

fn file_time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(FILE_TIME_S)
}

/// Makes a directory that everybody may read, and those above it that are not there.
fn make_open(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    if let Some(parent) = directory.parent() {
        make_open(parent)?;
    }
    match fs::DirBuilder::new().mode(0o755).create(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        made => made?,
    }
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))
}

impl Manifest {
    /// Writes it into a file.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let head = serde_json::to_string(&self.head).map_err(io::Error::other)?;
        let rest = format!("{head}\n{}", self.list);
        let hash = blake3::hash(rest.as_bytes()).to_hex();
        crate::files::write_whole(path, format!("{hash}\n{rest}").as_bytes())
    }

    /// Reads it from a file; `None` where it is not there or damaged.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let mut text = String::new();
        let file = File::open(path).ok()?;
        file.take(MANIFEST_BYTES_MAX)
            .read_to_string(&mut text)
            .ok()?;
        let (hash, rest) = text.split_once('\n')?;
        if blake3::hash(rest.as_bytes()).to_hex().as_str() != hash {
            return None;
        }
        let (head, list) = rest.split_once('\n')?;
        let head: Head = serde_json::from_str(head).ok()?;
        (head.version == VERSION).then(|| Self {
            head,
            list: list.to_owned(),
        })
    }

    /// Whether files have the lengths and times that they were made with: a few hundred of them,
    /// others each time that `turn` is another.
    pub(crate) fn looks_whole(&self, content: &Path, turn: usize) -> bool {
        let count = usize::try_from(self.head.files).unwrap_or(usize::MAX);
        let stride = count.div_ceil(QUICK_LOOK_MAX).max(1);
        let mut lines = self.list.lines().skip(turn % stride).step_by(stride);
        content.is_dir() && lines.all(|line| entry(line).is_some_and(|e| e.looks_right(content)))
    }

    /// Whether every file has the content that it was made with.
    pub(crate) fn is_whole(&self, content: &Path) -> bool {
        let mut lines = self.list.lines();
        content.is_dir() && lines.all(|line| entry(line).is_some_and(|e| e.is_right(content)))
    }
}

fn entry(line: &str) -> Option<FileEntry<'_>> {
    let (hash, rest) = line.split_once(' ')?;
    let (bytes, path) = rest.split_once(' ')?;
    let bytes = bytes.parse().ok()?;
    Some(FileEntry { hash, bytes, path })
}

impl FileEntry<'_> {
    fn looks_right(&self, content: &Path) -> bool {
        let found = fs::symlink_metadata(content.join(self.path));
        found.is_ok_and(|found| {
            let time = i64::try_from(FILE_TIME_S).ok();
            found.is_file() && found.len() == self.bytes && Some(found.mtime()) == time
        })
    }

    fn is_right(&self, content: &Path) -> bool {
        let hashed = || -> io::Result<blake3::Hash> {
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(File::open(content.join(self.path))?)?;
            Ok(hasher.finalize())
        };
        self.looks_right(content) && hashed().is_ok_and(|hash| hash.to_hex().as_str() == self.hash)
    }
}
