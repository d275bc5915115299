//! A directory of files that only this user's Atoll can have written.
//!
//! What is kept here was made of something untrusted and runs, or becomes a machine, with all that
//! its reader can do. So each file carries a keyed hash over its name and its content, the key is
//! as private as the directory, and a file that does not fit is removed instead of read. What the
//! files hold, and what they depend on (which belongs into their names), is not known here.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use blake3::{Hash, Hasher};

/// The file with the key, in the directory.
const KEY_FILE: &str = "key";
const KEY_BYTES: usize = 32;

/// How the names of files end that are not whole yet, and when one of them never will be.
const UNFINISHED: &str = "new";
const UNFINISHED_TIME: Duration = Duration::from_secs(3600);

/// The unit in which the kernel counts what a file takes on disk.
const BLOCK_BYTES: u64 = 512;

/// What a cache holds.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What its files begin with; another format begins with something else.
    pub magic: &'static [u8],
    /// How their names end.
    pub extension: &'static str,
    /// The largest file that is read at once, in bytes.
    pub file_bytes_max: u64,
    /// Bytes of all files on disk; when there are more, those that were not used for longest are
    /// removed.
    pub bytes_max: u64,
}

/// A cache in a directory, which is made when something is first written.
#[derive(Debug, Clone)]
pub struct Cache {
    directory: PathBuf,
    kind: Kind,
}

impl Cache {
    /// The cache in a directory.
    #[must_use]
    pub const fn new(directory: PathBuf, kind: Kind) -> Self {
        Self { directory, kind }
    }

    /// Where a file is, if it is there.
    #[must_use]
    pub fn path(&self, name: &Hash) -> PathBuf {
        let name = format!("{}.{}", name.to_hex(), self.kind.extension);
        self.directory.join(name)
    }

    /// The content of a file that this cache has written.
    #[must_use]
    pub fn read(&self, name: &Hash) -> Option<Vec<u8>> {
        let key = self.key().ok()?;
        let path = self.path(name);
        let file = File::open(&path).ok()?;
        let _ = file.set_modified(SystemTime::now());
        let content = self.authentic(&key, name, file);
        if content.is_none() {
            // It would only be found wrong again.
            let _ = fs::remove_file(&path);
        }
        content
    }

    /// Opens a file that [`Cache::make`] made. What it holds is compared with nothing: where it is
    /// too large for that, all rests on the directory being this user's alone.
    #[must_use]
    pub fn open(&self, name: &Hash) -> Option<File> {
        self.key().ok()?;
        let path = self.path(name);
        let file = File::open(&path).ok()?;
        check_private(&path, &file.metadata().ok()?).ok()?;
        let _ = file.set_modified(SystemTime::now());
        Some(file)
    }

    /// Makes a file under a name, which [`Cache::open`] finds, and opens it for reading. It has the
    /// name once it is whole.
    ///
    /// # Errors
    /// Those of `write`; and when the directory is not this user's alone, or cannot be written to.
    pub fn make(
        &self,
        name: &Hash,
        write: impl FnOnce(&File) -> io::Result<()>,
    ) -> io::Result<File> {
        self.key()?;
        let (temporary, file) = self.begin_file()?;
        // Who is handed it to read, and has this user's id, cannot open it again to write. It is
        // opened before others can find it, and remove it because there is too much.
        let made = write(&file)
            .and_then(|()| file.set_permissions(Permissions::from_mode(0o400)))
            .and_then(|()| File::open(&temporary))
            .and_then(|made| fs::rename(&temporary, self.path(name)).map(|()| made));
        if made.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        self.shrink();
        made
    }

    /// Removes a file whose content turned out to be of no use.
    pub fn remove(&self, name: &Hash) {
        let _ = fs::remove_file(self.path(name));
    }

    fn authentic(&self, key: &[u8; KEY_BYTES], name: &Hash, mut file: File) -> Option<Vec<u8>> {
        let mut magic = vec![0; self.kind.magic.len()];
        file.read_exact(&mut magic).ok()?;
        let mut found = [0; 32];
        file.read_exact(&mut found).ok()?;
        let bytes = file.metadata().ok()?.len().min(self.kind.file_bytes_max);
        let mut content = Vec::with_capacity(usize::try_from(bytes).ok()?);
        let mut file = file.take(self.kind.file_bytes_max);
        file.read_to_end(&mut content).ok()?;
        // Comparing hashes takes the same time whatever differs.
        let is_ours = tag(key, name, &[&content]) == Hash::from_bytes(found);
        (is_ours && magic == self.kind.magic).then_some(content)
    }

    /// A file for this user alone, which gets its name when it is whole.
    fn begin_file(&self) -> io::Result<(PathBuf, File)> {
        // Not made of the process's id, which in a container is the same every time.
        let name = u128::from_le_bytes(random()?);
        let temporary = self.directory.join(format!("{name:032x}.{UNFINISHED}"));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        Ok((temporary, file))
    }

    /// Keeps a content, which is given in parts, under a name.
    ///
    /// # Errors
    /// When the directory is not this user's alone, or cannot be written to.
    pub fn write(&self, name: &Hash, parts: &[&[u8]]) -> io::Result<()> {
        let key = self.key()?;
        let (temporary, mut file) = self.begin_file()?;
        let written = file
            .write_all(self.kind.magic)
            .and_then(|()| file.write_all(tag(&key, name, parts).as_bytes()))
            .and_then(|()| parts.iter().try_for_each(|part| file.write_all(part)))
            .and_then(|()| fs::rename(&temporary, self.path(name)));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        self.shrink();
        written
    }

    /// The key, made with the directory.
    ///
    /// # Errors
    /// When the directory is not this user's alone, or cannot be made.
    fn key(&self) -> io::Result<[u8; KEY_BYTES]> {
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory);
        made?;
        check_private(&self.directory, &fs::metadata(&self.directory)?)?;
        let path = self.directory.join(KEY_FILE);
        match read_key(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // No key, and so no file that fits one: the machine stopped before it was written.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => fs::remove_file(&path)?,
            found => return found,
        }
        let key: [u8; KEY_BYTES] = random()?;
        let (temporary, mut file) = self.begin_file()?;
        let written = file.write_all(&key).and_then(|()| file.sync_all());
        // Whoever is first makes the key; a link, unlike a rename, does not replace one.
        let linked = written.and_then(|()| fs::hard_link(&temporary, &path));
        fs::remove_file(&temporary)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => read_key(&path),
        }
    }

    /// Removes what was not used for longest, when there is too much.
    fn shrink(&self) {
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return;
        };
        let mut files = Vec::new();
        for entry in entries.flatten() {
            let path = entry.path();
            let metadata = entry.metadata();
            let Some((bytes, changed)) = metadata
                .ok()
                // What it takes on disk, which is less than its length where it has holes.
                .and_then(|found| Some((found.blocks() * BLOCK_BYTES, found.modified().ok()?)))
            else {
                continue;
            };
            let is = |extension: &str| path.extension().is_some_and(|found| found == extension);
            if is(self.kind.extension) {
                files.push((changed, bytes, path));
            } else if is(UNFINISHED) && changed.elapsed().is_ok_and(|age| age > UNFINISHED_TIME) {
                // Whoever wrote it was ended.
                let _ = fs::remove_file(path);
            }
        }
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, length, path) in files {
            if bytes <= self.kind.bytes_max {
                return;
            }
            let _ = fs::remove_file(path);
            bytes = bytes.saturating_sub(length);
        }
    }
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(bytes)
}

fn read_key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let mut file = File::open(path)?;
    check_private(path, &file.metadata()?)?;
    let mut key = [0; KEY_BYTES];
    file.read_exact(&mut key)?;
    Ok(key)
}

/// Nobody else can write it, and nobody else can read it.
fn check_private(path: &Path, metadata: &fs::Metadata) -> io::Result<()> {
    let own = metadata.uid() == rustix::process::geteuid().as_raw();
    if own && metadata.mode() & 0o077 == 0 {
        return Ok(());
    }
    let text = format!("{} is open to other users", path.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

fn tag(key: &[u8; KEY_BYTES], name: &Hash, parts: &[&[u8]]) -> Hash {
    let mut hasher = Hasher::new_keyed(key);
    hasher.update(name.as_bytes());
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind {
        magic: b"kept 1",
        extension: "kept",
        file_bytes_max: 1 << 20,
        bytes_max: 1 << 20,
    };

    fn cache() -> (tempfile::TempDir, Cache, Hash) {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path().join("kept"), KIND);
        (directory, cache, blake3::hash(b"a name"))
    }

    #[test]
    fn what_was_written_is_found_and_nothing_else() {
        let (_directory, cache, name) = cache();
        assert_eq!(cache.read(&name), None);
        cache.write(&name, &[b"some ", b"content"]).unwrap();
        assert_eq!(cache.read(&name).as_deref(), Some(&b"some content"[..]));
        assert_eq!(cache.read(&blake3::hash(b"another")), None);
        // Another process finds the same key.
        let again = Cache::new(cache.directory.clone(), KIND);
        assert_eq!(again.read(&name).as_deref(), Some(&b"some content"[..]));
    }

    #[test]
    fn a_file_that_was_changed_anywhere_is_not_read() {
        let (_directory, cache, name) = cache();
        cache.write(&name, &[b"some content"]).unwrap();
        let path = cache.path(&name);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&path, &changed).unwrap();
            assert_eq!(cache.read(&name), None, "{at}");
            assert!(!path.exists(), "what is wrong is removed");
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(cache.read(&name), None, "cut at {at}");
        }
        fs::write(&path, &whole).unwrap();
        assert!(cache.read(&name).is_some());
    }

    #[test]
    fn a_file_under_another_name_is_not_read() {
        let (_directory, cache, name) = cache();
        cache.write(&name, &[b"some content"]).unwrap();
        let other = blake3::hash(b"other");
        fs::copy(cache.path(&name), cache.path(&other)).unwrap();
        assert_eq!(cache.read(&other), None);
    }

    #[test]
    fn a_file_is_made_whole_or_not_at_all() {
        let (_directory, cache, name) = cache();
        assert!(cache.open(&name).is_none());
        let failed = cache.make(&name, |mut file| {
            file.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(cache.open(&name).is_none());
        let made = cache.make(&name, |mut file| file.write_all(b"whole"));
        for mut file in [made.unwrap(), cache.open(&name).unwrap()] {
            let mut content = String::new();
            file.read_to_string(&mut content).unwrap();
            assert_eq!(content, "whole");
            assert!(file.write_all(b"x").is_err());
        }
        let names = fs::read_dir(&cache.directory).unwrap();
        assert_eq!(names.count(), 2, "the file and the key");
        let path = cache.path(&name);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o400);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(cache.open(&name).is_none());
    }

    #[test]
    fn holes_of_files_take_no_room() {
        let (_directory, cache, name) = cache();
        let hole = |file: &File| file.set_len(8 * KIND.bytes_max);
        cache.make(&name, hole).unwrap();
        cache.make(&blake3::hash(b"other"), hole).unwrap();
        assert!(cache.open(&name).is_some());
    }

    #[test]
    fn a_cache_that_others_can_read_is_not_used() {
        let (_directory, cache, name) = cache();
        cache.write(&name, &[b"some content"]).unwrap();
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&cache.directory, open).unwrap();
        assert_eq!(cache.read(&name), None);
        assert!(cache.write(&name, &[b"some content"]).is_err());
        assert!(cache.make(&name, |_| Ok(())).is_err());
    }

    #[test]
    fn what_a_stopped_machine_left_half_is_made_anew() {
        let (_directory, cache, name) = cache();
        cache.write(&name, &[b"some content"]).unwrap();
        fs::write(cache.directory.join(KEY_FILE), b"").unwrap();
        let half = |age| {
            let path = cache.directory.join(format!("{age}.{UNFINISHED}"));
            let file = File::create(&path).unwrap();
            let then = SystemTime::now() - Duration::from_secs(age);
            file.set_modified(then).unwrap();
            path
        };
        let (old, young) = (half(7200), half(60));
        assert_eq!(cache.read(&name), None);
        cache.write(&name, &[b"some content"]).unwrap();
        assert_eq!(cache.read(&name).as_deref(), Some(&b"some content"[..]));
        assert!(!old.exists() && young.exists());
    }

    #[test]
    fn a_key_of_another_cache_does_not_fit() {
        let (_one, first, name) = cache();
        let (_two, second, _) = cache();
        first.write(&name, &[b"some content"]).unwrap();
        second.write(&name, &[b"other content"]).unwrap();
        fs::copy(first.path(&name), second.path(&name)).unwrap();
        assert_eq!(second.read(&name), None);
    }

    #[test]
    fn what_was_used_last_stays() {
        let (_directory, cache, _) = cache();
        let names: Vec<Hash> = (0..4_u8).map(|number| blake3::hash(&[number])).collect();
        let content = vec![0; 300 << 10];
        for (age, name) in (0..).zip(&names[..3]) {
            cache.write(name, &[&content]).unwrap();
            let file = File::open(cache.path(name)).unwrap();
            let then = SystemTime::now() - Duration::from_secs(100 - age);
            file.set_modified(then).unwrap();
        }
        assert!(cache.read(&names[0]).is_some());
        cache.write(&names[3], &[&content]).unwrap();
        let kept = names.iter().map(|name| cache.read(name).is_some());
        assert_eq!(kept.collect::<Vec<_>>(), [true, false, true, true]);
    }
}
