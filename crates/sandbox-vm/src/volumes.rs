//! What machines are shown of the host: directories of installed modules, as images.
//!
//! Owns when an image is made, where it is kept, and how large it may be. A machine has a disk for
//! one from the beginning, with nothing but zeros on it where there is none; a clone finds an image
//! there that its agent mounts. An image is for whoever is shown the directory: it is handed to a
//! machine by descriptor, for reading, and kept where nobody but Atoll's user can open it.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use atoll_cache::{Cache, Kind};
use atoll_remote::protocol::Volume;
use atoll_sandbox::CreateError;
use blake3::Hash;
use rustix::fs::{Mode, OFlags};

use crate::erofs;
use crate::error::internal;
use crate::kept::memory_file;
use crate::tree::Tree;

/// What every machine's disk for an image has, and so the most that one can have: a layer of
/// packages at its bounds fits. In an image everything begins at a whole block.
pub(crate) const VOLUME_BYTES: u64 = 2 << 30;

/// Where programs in a machine are shown it from.
pub(crate) const PLACE: &str = "/run/dependencies";

/// The second disk of a machine.
const DEVICE: &str = "/dev/vdb";

/// Images on disk. Each is as long as the disk, and takes what is in it.
const IMAGES: Kind = Kind {
    magic: b"",
    extension: "erofs",
    file_bytes_max: 0,
    bytes_max: 4 << 30,
};

/// An image is used for so long, as what it is made of is trusted without being read again.
const DAY_S: u64 = 24 * 3600;

/// The images that there are.
#[derive(Default)]
pub(crate) struct Volumes {
    disk: OnceLock<Cache>,
    /// Held by who makes one, so that those who want the same at once make it once.
    making: tokio::sync::Mutex<()>,
}

/// The image of a directory that there is, or what to make it of.
enum Found {
    Image(OwnedFd),
    Nothing(Tree),
}

impl Volumes {
    /// Keeps images in a directory, which is made when there is one; without it, each is in memory
    /// and for one machine. The first directory counts.
    pub(crate) fn keep_in(&self, directory: PathBuf) {
        self.disk.get_or_init(|| Cache::new(directory, IMAGES));
    }

    /// What an agent has to do with it.
    pub(crate) fn for_agent() -> Volume {
        Volume {
            device: DEVICE.to_owned(),
            place: PLACE.to_owned(),
        }
    }

    /// The image of a directory as it is now, for reading. It is as long as a machine's disk.
    ///
    /// # Errors
    /// When the directory cannot be read, or is too large.
    pub(crate) async fn image_of(&self, directory: &Path) -> Result<OwnedFd, CreateError> {
        let (cache, place) = (self.disk.get().cloned(), directory.to_owned());
        let (found, cache) = blocking(move || Ok((find(cache.as_ref(), &place)?, cache))).await?;
        let tree = match found {
            Found::Image(image) => return Ok(image),
            Found::Nothing(tree) => tree,
        };
        let _alone = self.making.lock().await;
        let place = directory.to_owned();
        blocking(move || make(cache.as_ref(), &place, &tree)).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CreateError> + Send + 'static,
) -> Result<T, CreateError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| internal("make an image of the dependencies")(io::Error::other(error)))?
}

fn find(cache: Option<&Cache>, directory: &Path) -> Result<Found, CreateError> {
    let tree = Tree::read(directory).map_err(|error| unusable(directory, &error.to_string()))?;
    let bytes = erofs::bytes(&tree);
    if bytes > VOLUME_BYTES {
        return Err(unusable(
            directory,
            &format!(
                "it takes {} MiB, and the level vm shows up to {} MiB; use the level process",
                bytes >> 20,
                VOLUME_BYTES >> 20
            ),
        ));
    }
    let image = cache.and_then(|cache| open(cache, &tree));
    Ok(image.map_or(Found::Nothing(tree), Found::Image))
}

fn open(cache: &Cache, tree: &Tree) -> Option<OwnedFd> {
    let image = cache.open(&name(tree, today()))?;
    let is_whole = image
        .metadata()
        .is_ok_and(|found| found.len() == VOLUME_BYTES);
    is_whole.then(|| image.into())
}

fn make(cache: Option<&Cache>, directory: &Path, tree: &Tree) -> Result<OwnedFd, CreateError> {
    let write = |file: &File| {
        erofs::write(tree, file)?;
        // What is behind it takes no room.
        file.set_len(VOLUME_BYTES)
    };
    let made = match cache {
        Some(cache) => {
            // Somebody else may have made it meanwhile.
            if let Some(image) = open(cache, tree) {
                return Ok(image);
            }
            cache.remove(&name(tree, today().saturating_sub(1)));
            cache.make(&name(tree, today()), write).map(OwnedFd::from)
        }
        None => in_memory(write),
    };
    made.map_err(|error| unusable(directory, &format!("no image can be made of it: {error}")))
}

fn in_memory(write: impl FnOnce(&File) -> io::Result<()>) -> io::Result<OwnedFd> {
    let file = File::from(memory_file("dependencies", 0)?);
    write(&file)?;
    // A machine is given nothing that could be written to.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(rustix::fs::open(
        path,
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )?)
}

/// What an image is known by: what it is made of, this form of it, and the day.
fn name(tree: &Tree, day: u64) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"atoll volume 1");
    hasher.update(&VOLUME_BYTES.to_le_bytes());
    hasher.update(&day.to_le_bytes());
    hasher.update(tree.fingerprint().as_bytes());
    hasher.finalize()
}

fn today() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs() / DAY_S)
}

fn unusable(directory: &Path, why: &str) -> CreateError {
    CreateError::Environment(format!(
        "the directory of dependencies {} cannot be used: {why}",
        directory.display()
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};

    use super::*;

    fn files(directory: &Path) -> usize {
        let names = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        names
            .filter(|path| path.extension().is_some_and(|it| it == "erofs"))
            .count()
    }

    #[tokio::test]
    async fn an_image_is_made_once_and_anew_when_something_changed() {
        let (directory, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let kept = kept.path().join("volumes");
        fs::write(directory.path().join("module.py"), "x = 1\n").unwrap();
        let volumes = Volumes::default();
        volumes.keep_in(kept.clone());
        let path = directory.path();
        let inode = |image: OwnedFd| File::from(image).metadata().unwrap().ino();
        let (one, two) = tokio::join!(volumes.image_of(path), volumes.image_of(path));
        let one = one.unwrap();
        let held = File::from(one.try_clone().unwrap());
        assert_eq!(held.metadata().unwrap().len(), VOLUME_BYTES);
        assert!(held.metadata().unwrap().blocks() < 100);
        assert!(held.write_at(b"x", 0).is_err());
        assert_eq!(inode(one), inode(two.unwrap()));
        // Another process finds it.
        let others = Volumes::default();
        others.keep_in(kept.clone());
        assert_eq!(
            inode(others.image_of(path).await.unwrap()),
            held.metadata().unwrap().ino()
        );
        assert_eq!(files(&kept), 1);
        fs::write(directory.path().join("module.py"), "x = 22\n").unwrap();
        assert_ne!(
            inode(volumes.image_of(path).await.unwrap()),
            held.metadata().unwrap().ino()
        );
        assert_eq!(files(&kept), 2);
    }

    #[tokio::test]
    async fn an_image_that_was_cut_is_made_again() {
        let (directory, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let kept = kept.path().join("volumes");
        let volumes = Volumes::default();
        volumes.keep_in(kept.clone());
        drop(volumes.image_of(directory.path()).await.unwrap());
        for entry in fs::read_dir(&kept).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|it| it == "erofs") {
                fs::remove_file(&path).unwrap();
                fs::write(&path, [0; 4096]).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
            }
        }
        let image = File::from(volumes.image_of(directory.path()).await.unwrap());
        assert_eq!(image.metadata().unwrap().len(), VOLUME_BYTES);
    }

    #[tokio::test]
    async fn what_cannot_be_shown_is_refused_with_a_reason() {
        let directory = tempfile::tempdir().unwrap();
        let volumes = Volumes::default();
        let why = async |path: &Path| volumes.image_of(path).await.unwrap_err().to_string();
        let large = File::create(directory.path().join("large")).unwrap();
        large.set_len(VOLUME_BYTES).unwrap();
        let text = why(directory.path()).await;
        assert!(text.contains("2048 MiB; use the level process"), "{text}");
        let text = why(&directory.path().join("large")).await;
        assert!(text.contains("large cannot be used"), "{text}");
        let text = why(&directory.path().join("nowhere")).await;
        assert!(text.contains("nowhere cannot be used"), "{text}");
    }

    #[tokio::test]
    async fn without_a_place_an_image_is_in_memory_and_cannot_be_written_to() {
        let directory = tempfile::tempdir().unwrap();
        let image = Volumes::default().image_of(directory.path()).await.unwrap();
        let image = File::from(image);
        assert_eq!(image.metadata().unwrap().len(), VOLUME_BYTES);
        assert!(image.write_at(b"x", 0).is_err());
    }
}
