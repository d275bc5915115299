//! The guest image: what machines start from.
//!
//! Owns finding it and telling whether it is whole. `scripts/build-guest.sh` makes it: a kernel, a
//! first root with the agent, and a root directory, each with its hash in a manifest. The hashes
//! are looked at before a machine boots; clones of a snapshot use the root directory alone, and
//! only while it is the same file.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use atoll_jail::helper_binary;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The format that is understood.
const VERSION: u32 = 1;

/// No manifest is longer, in bytes.
const MANIFEST_BYTES_MAX: u64 = 64 << 10;

/// Read at once, in bytes.
const PIECE_BYTES: usize = 1 << 20;

const MANIFEST: &str = "manifest.json";

/// One of an image's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The kernel, unpacked.
    Kernel,
    /// The first root, with the agent.
    Initrd,
    /// The root directory.
    Root,
}

impl Part {
    const ALL: [Self; 3] = [Self::Kernel, Self::Initrd, Self::Root];

    /// Its name, in the image and in the jail of a machine.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Kernel => "vmlinux",
            Self::Initrd => "initrd",
            Self::Root => "root.erofs",
        }
    }
}

#[derive(Deserialize)]
struct Manifest {
    version: u32,
    kernel: String,
    files: BTreeMap<String, Described>,
}

#[derive(Deserialize)]
struct Described {
    bytes: u64,
    sha256: String,
}

/// A guest image.
#[derive(Clone)]
pub(crate) struct Image {
    directory: PathBuf,
    /// The release of its kernel.
    pub(crate) kernel: String,
    files: Vec<(Part, u64, String, Identity)>,
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

/// Tells a file from one that took its place or was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

/// The same for later processes. The numbers of devices are others after each start of many hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastingIdentity {
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Identity {
    pub(crate) const fn lasting(self) -> LastingIdentity {
        LastingIdentity {
            inode: self.inode,
            bytes: self.bytes,
            changed: self.changed,
        }
    }

    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let found = std::fs::metadata(path)?;
        Ok(Self {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.len(),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

impl Image {
    /// Looks where the programs that come with Atoll are.
    ///
    /// # Errors
    /// What is missing or wrong, as a sentence that says what helps.
    pub(crate) fn find() -> Result<Self, String> {
        let manifest = Path::new("guest").join(MANIFEST);
        let found = helper_binary(&manifest.to_string_lossy());
        let found = found.map_err(|error| {
            format!("there is no guest image: {error}; `make guest` builds one")
        })?;
        Self::open(found.parent().unwrap_or(Path::new("/")))
    }

    /// The image in a directory. Its files' hashes are not looked at yet: see [`Self::check`].
    ///
    /// # Errors
    /// As for [`Self::find`].
    pub(crate) fn open(directory: &Path) -> Result<Self, String> {
        let wrong = |what: String| {
            format!(
                "the guest image in {} cannot be used: {what}; build it again with `make guest`",
                directory.display()
            )
        };
        let mut text = String::new();
        File::open(directory.join(MANIFEST))
            .and_then(|file| file.take(MANIFEST_BYTES_MAX).read_to_string(&mut text))
            .map_err(|error| wrong(format!("failed to read {MANIFEST}: {error}")))?;
        let manifest: Manifest = serde_json::from_str(&text)
            .map_err(|error| wrong(format!("{MANIFEST} is malformed: {error}")))?;
        if manifest.version != VERSION {
            return Err(wrong(format!("it has format {}", manifest.version)));
        }
        let mut files = Vec::new();
        for part in Part::ALL {
            let name = part.name();
            let described = manifest.files.get(name);
            let described = described.ok_or_else(|| wrong(format!("{name} is not described")))?;
            let identity = Identity::of(&directory.join(name));
            let identity =
                identity.map_err(|error| wrong(format!("failed to find {name}: {error}")))?;
            if identity.bytes != described.bytes {
                return Err(wrong(format!(
                    "{name} has {} bytes instead of {}",
                    identity.bytes, described.bytes
                )));
            }
            files.push((part, described.bytes, described.sha256.clone(), identity));
        }
        Ok(Self {
            directory: directory.to_owned(),
            kernel: manifest.kernel,
            files,
        })
    }

    /// Where a part is.
    pub(crate) fn path(&self, part: Part) -> PathBuf {
        self.directory.join(part.name())
    }

    /// Reads everything and compares it with its hash. Takes a second.
    ///
    /// # Errors
    /// Names the file that is damaged.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (part, _, expected, _) in &self.files {
            let path = self.path(*part);
            let found = hash(&path)
                .map_err(|error| format!("failed to read {}: {error}", path.display()))?;
            if found != *expected {
                return Err(format!(
                    "{} of the guest image is damaged: its hash is not the manifest's; build it \
                     again with `make guest`",
                    path.display()
                ));
            }
        }
        Ok(())
    }

    /// The hashes that its files have, going by the manifest.
    pub(crate) fn hashes(&self) -> Vec<&str> {
        self.files.iter().map(|(_, _, hash, _)| &**hash).collect()
    }

    /// Which files they were when it was opened.
    pub(crate) fn identities(&self) -> Vec<LastingIdentity> {
        let files = self.files.iter();
        files.map(|(.., identity)| identity.lasting()).collect()
    }

    /// Whether its files are the ones that were there when it was opened.
    pub(crate) fn is_same(&self) -> bool {
        self.files.iter().all(|(part, _, _, identity)| {
            Identity::of(&self.path(*part)).is_ok_and(|found| found == *identity)
        })
    }
}

fn hash(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = file.read(&mut piece)?;
        if count == 0 {
            break;
        }
        hasher.update(piece.get(..count).unwrap_or_default());
    }
    let digest = hasher.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(directory: &Path, manifest: &str) {
        for part in Part::ALL {
            std::fs::write(directory.join(part.name()), b"abc").unwrap();
        }
        std::fs::write(directory.join(MANIFEST), manifest).unwrap();
    }

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn manifest(bytes: u64) -> String {
        let file = format!("{{\"bytes\": {bytes}, \"sha256\": \"{ABC}\"}}");
        format!(
            "{{\"version\": 1, \"kernel\": \"k\", \"inputs\": \"i\", \"files\": {{\"vmlinux\": \
             {file}, \"initrd\": {file}, \"root.erofs\": {file}}}}}"
        )
    }

    #[test]
    fn a_whole_image_is_told_from_a_damaged_one() {
        let place = tempfile::tempdir().unwrap();
        write(place.path(), &manifest(3));
        let image = Image::open(place.path()).unwrap();
        assert_eq!(image.check(), Ok(()));
        assert!(image.is_same());
        std::fs::write(image.path(Part::Root), b"abd").unwrap();
        assert!(!image.is_same());
        let damaged = image.check().unwrap_err();
        assert!(damaged.contains("root.erofs"), "{damaged}");
        std::fs::write(image.path(Part::Root), b"ab").unwrap();
        let short = Image::open(place.path()).unwrap_err();
        assert!(short.contains("2 bytes instead of 3"), "{short}");
    }

    #[test]
    fn a_manifest_that_says_nothing_or_something_else_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let refused = |text: &str| {
            write(place.path(), text);
            Image::open(place.path()).unwrap_err()
        };
        assert!(refused("{").contains("malformed"));
        let newer = manifest(3).replace("\"version\": 1", "\"version\": 2");
        assert!(refused(&newer).contains("format 2"));
        let without = manifest(3).replace("initrd", "other");
        assert!(refused(&without).contains("initrd is not described"));
    }
}
