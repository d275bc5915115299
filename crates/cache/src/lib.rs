//! A directory of files that only this user's Atoll can have written.
//!
//! What is kept here was made of something untrusted and runs, or becomes a machine, with all that
//! its reader can do. So each file carries a keyed hash over its name and its content, the key is
//! as private as the directory, and a file that does not fit is removed instead of read. What the
//! files hold, and what they depend on (which belongs into their names), is not known here.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use blake3::{Hash, Hasher};

/// The file with the key, in the directory.
const KEY_FILE: &str = "key";

/// What a cache holds.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What its files begin with; another format begins with something else.
    pub magic: &'static [u8],
    /// How their names end.
    pub extension: &'static str,
    /// The largest file that is read, in bytes.
    pub file_bytes_max: u64,
    /// Bytes of all files; when there are more, those that were not used for longest are removed.
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

    fn authentic(&self, key: &[u8; 32], name: &Hash, mut file: File) -> Option<Vec<u8>> {
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
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}.new", std::process::id());
        let temporary = self.directory.join(name);
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
    fn key(&self) -> io::Result<[u8; 32]> {
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory);
        made?;
        check_private(&self.directory, &fs::metadata(&self.directory)?)?;
        let path = self.directory.join(KEY_FILE);
        match read_key(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => return found,
        }
        let mut key = [0; 32];
        rustix::rand::getrandom(&mut key, rustix::rand::GetRandomFlags::empty())?;
        let (temporary, mut file) = self.begin_file()?;
        file.write_all(&key)?;
        // Whoever is first makes the key; a link, unlike a rename, does not replace one.
        let linked = fs::hard_link(&temporary, &path);
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
        let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let path = entry.path();
                let extension = path.extension();
                let is_kept = extension.is_some_and(|found| found == self.kind.extension);
                let metadata = entry.metadata().ok().filter(|_| is_kept)?;
                Some((metadata.modified().ok()?, metadata.len(), path))
            })
            .collect();
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

fn read_key(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    check_private(path, &file.metadata()?)?;
    let mut key = [0; 32];
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

fn tag(key: &[u8; 32], name: &Hash, parts: &[&[u8]]) -> Hash {
    let mut hasher = Hasher::new_keyed(key);
    hasher.update(name.as_bytes());
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

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
    fn a_cache_that_others_can_read_is_not_used() {
        let (_directory, cache, name) = cache();
        cache.write(&name, &[b"some content"]).unwrap();
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&cache.directory, open).unwrap();
        assert_eq!(cache.read(&name), None);
        assert!(cache.write(&name, &[b"some content"]).is_err());
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
            let then = SystemTime::now() - std::time::Duration::from_secs(100 - age);
            file.set_modified(then).unwrap();
        }
        assert!(cache.read(&names[0]).is_some());
        cache.write(&names[3], &[&content]).unwrap();
        let kept = names.iter().map(|name| cache.read(name).is_some());
        assert_eq!(kept.collect::<Vec<_>>(), [true, false, true, true]);
    }
}
