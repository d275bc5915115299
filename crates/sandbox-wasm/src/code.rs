//! Compiled programs: found in memory, in the cache on disk, or compiled.
//!
//! Owns the cache. Compiled code runs with everything its worker can do, so none is loaded that
//! somebody else could have written: a file of the cache carries a keyed hash over its name and its
//! content, and the key is as private as the cache. The name is made of the program's hash, of the
//! helper program that compiles and runs it (and so of the runtime's version and settings), and of
//! the processor. What has been checked is copied into sealed memory first, so it stays as it was.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use atoll_jail::{JailBeginning, helper_binary};
use atoll_sandbox::StartError;
use atoll_types::{Layer, Limits};
use blake3::{Hash, Hasher};
use rustix::fs::{MemfdFlags, fcntl_add_seals, memfd_create};

use crate::compile::{Compilation, all_seals, compile, next_name};
use crate::error::internal;
use crate::protocol::GuestKind;
use crate::worker::WORKER;

/// Bytes of compiled programs that stay in memory.
const MEMORY_BYTES_MAX: u64 = 512 << 20;

/// Bytes of compiled programs on disk; the oldest are removed when there are more.
const DISK_BYTES_MAX: u64 = 1 << 30;

/// The largest compiled program that is read from disk, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// What a file of the cache begins with.
const MAGIC: &[u8] = b"atoll compiled 1";

/// The file with the key, in the cache's directory.
const KEY_FILE: &str = "key";

/// How the names of compiled programs end.
const EXTENSION: &str = "compiled";

/// A compiled program in sealed memory.
#[derive(Debug)]
pub(crate) struct Code {
    /// The number it has in every worker.
    pub(crate) number: u64,
    pub(crate) kind: GuestKind,
    pub(crate) file: Arc<OwnedFd>,
    bytes: u64,
}

impl Code {
    /// Bytes of compiled code.
    #[must_use]
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// What is wanted compiled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) kind: GuestKind,
    /// The hash of `program`.
    pub(crate) hash: &'a [u8],
    pub(crate) program: &'a [u8],
    /// What compiling it may take.
    pub(crate) limits: &'a Limits,
    pub(crate) accept_missing: &'a BTreeSet<Layer>,
}

/// Every compiled program of this process.
#[derive(Default)]
pub(crate) struct Programs {
    disk: OnceLock<Disk>,
    memory: Mutex<Memory>,
    compiling: Mutex<HashMap<Hash, Arc<tokio::sync::Mutex<()>>>>,
    #[cfg(test)]
    compiled: AtomicU64,
}

#[derive(Default)]
struct Memory {
    /// With the time of their last use, in uses.
    codes: HashMap<Hash, (u64, Arc<Code>)>,
    uses: u64,
    bytes: u64,
}

impl Programs {
    /// Keeps programs in a directory, which is made if it can be; before that, nothing outlives the
    /// process. The first directory counts.
    pub(crate) fn keep_in(&self, directory: PathBuf) {
        self.disk.get_or_init(|| Disk::new(directory));
    }

    /// How many programs were compiled by this process.
    #[cfg(test)]
    pub(crate) fn compiled(&self) -> u64 {
        self.compiled.load(Ordering::Relaxed)
    }

    /// A program if it is compiled already, in memory or on disk.
    pub(crate) async fn find(&self, kind: GuestKind, hash: &[u8]) -> Option<Arc<Code>> {
        let name = name(kind, hash).ok()?;
        match self.remembered(&name) {
            Some(code) => Some(code),
            None => self.read(kind, name).await,
        }
    }

    /// A program, compiled if need be: once, whoever else wants it at the same time.
    ///
    /// # Errors
    /// As for [`compile`].
    pub(crate) async fn get(
        &self,
        wanted: Wanted<'_>,
        beginning: Option<JailBeginning>,
    ) -> Result<Arc<Code>, StartError> {
        let name = name(wanted.kind, wanted.hash).map_err(internal("identify the compiler"))?;
        if let Some(code) = self.remembered(&name) {
            return Ok(code);
        }
        let turn = {
            let mut compiling = lock(&self.compiling);
            Arc::clone(compiling.entry(name).or_default())
        };
        let held = turn.lock().await;
        let got = self.get_now(wanted, name, beginning).await;
        drop(held);
        let mut compiling = lock(&self.compiling);
        if Arc::strong_count(&turn) <= 2 {
            compiling.remove(&name);
        }
        got
    }

    async fn get_now(
        &self,
        wanted: Wanted<'_>,
        name: Hash,
        beginning: Option<JailBeginning>,
    ) -> Result<Arc<Code>, StartError> {
        // Somebody else may have had it compiled meanwhile.
        if let Some(code) = self.remembered(&name) {
            return Ok(code);
        }
        if let Some(code) = self.read(wanted.kind, name).await {
            return Ok(code);
        }
        let compilation = Compilation {
            kind: wanted.kind,
            program: wanted.program,
            limits: wanted.limits,
            accept_missing: wanted.accept_missing,
        };
        let compiled = compile(compilation, beginning).await?;
        #[cfg(test)]
        self.compiled.fetch_add(1, Ordering::Relaxed);
        let code = self
            .remember(wanted.kind, name, &compiled)
            .map_err(internal("keep the compiled program"))?;
        if let Some(disk) = self.disk.get().cloned() {
            // A cache that cannot be written costs the next compilation, and nothing else.
            let written = tokio::task::spawn_blocking(move || disk.write(&name, &compiled));
            let _ = written.await;
        }
        Ok(code)
    }

    fn remembered(&self, name: &Hash) -> Option<Arc<Code>> {
        let mut memory = lock(&self.memory);
        memory.uses = memory.uses.saturating_add(1);
        let now = memory.uses;
        let (used, code) = memory.codes.get_mut(name)?;
        *used = now;
        Some(Arc::clone(code))
    }

    async fn read(&self, kind: GuestKind, name: Hash) -> Option<Arc<Code>> {
        let disk = self.disk.get()?.clone();
        let reading = tokio::task::spawn_blocking(move || disk.read(&name));
        let read = reading.await.ok()??;
        self.remember(kind, name, &read).ok()
    }

    fn remember(&self, kind: GuestKind, name: Hash, code: &[u8]) -> io::Result<Arc<Code>> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let code = Arc::new(Code {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            kind,
            file: Arc::new(sealed(code)?),
            bytes: code.len() as u64,
        });
        let mut memory = lock(&self.memory);
        memory.uses = memory.uses.saturating_add(1);
        let entry = (memory.uses, Arc::clone(&code));
        memory.bytes = memory.bytes.saturating_add(code.bytes);
        if let Some((_, old)) = memory.codes.insert(name, entry) {
            memory.bytes = memory.bytes.saturating_sub(old.bytes);
        }
        memory.shrink(&name);
        Ok(code)
    }
}

impl Memory {
    /// Forgets what was not used for longest. Workers that run it keep it.
    fn shrink(&mut self, newest: &Hash) {
        while self.bytes > MEMORY_BYTES_MAX {
            let others = self.codes.iter().filter(|(name, _)| *name != newest);
            let Some(oldest) = others.min_by_key(|(_, (used, _))| *used) else {
                return;
            };
            let oldest = *oldest.0;
            if let Some((_, code)) = self.codes.remove(&oldest) {
                self.bytes = self.bytes.saturating_sub(code.bytes);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Memory with this content, which nobody can change.
fn sealed(code: &[u8]) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create(next_name(), flags)?);
    file.write_all(code)?;
    fcntl_add_seals(&file, all_seals())?;
    Ok(file.into())
}

/// What a compiled program is known by.
fn name(kind: GuestKind, program: &[u8]) -> io::Result<Hash> {
    let mut hasher = Hasher::new();
    hasher.update(maker()?.as_bytes());
    hasher.update(kind.name().as_bytes());
    hasher.update(&[0]);
    hasher.update(program);
    Ok(hasher.finalize())
}

/// What compiled code depends on besides the program: the helper program and the processor.
fn maker() -> io::Result<Hash> {
    static MAKER: OnceLock<Hash> = OnceLock::new();
    if let Some(maker) = MAKER.get() {
        return Ok(*maker);
    }
    let helper = helper_binary(WORKER).map_err(io::Error::other)?;
    let mut hasher = Hasher::new();
    hasher.update_reader(File::open(helper)?)?;
    hasher.update(processor().as_bytes());
    Ok(*MAKER.get_or_init(|| hasher.finalize()))
}

/// The features of the processor, as the kernel names them. The runtime checks them again.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut lines = text.lines();
    let flags = lines.find(|line| line.starts_with("flags") || line.starts_with("Features"));
    flags.unwrap_or_default().to_owned()
}

/// The cache's directory.
#[derive(Debug, Clone)]
struct Disk {
    directory: PathBuf,
}

impl Disk {
    const fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    fn path(&self, name: &Hash) -> PathBuf {
        let name = format!("{}.{EXTENSION}", name.to_hex());
        self.directory.join(name)
    }

    /// A program whose file is what this cache has written.
    fn read(&self, name: &Hash) -> Option<Vec<u8>> {
        let key = self.key().ok()?;
        let path = self.path(name);
        let file = File::open(&path).ok()?;
        let _ = file.set_modified(SystemTime::now());
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        let code = authentic(&key, name, &bytes).map(|code| code.start);
        match code {
            Some(start) => {
                bytes.drain(..start);
                Some(bytes)
            }
            None => {
                // It would only be found wrong again.
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// A file for this user alone, which gets its name when it is whole.
    fn begin_file(&self) -> io::Result<(PathBuf, File)> {
        let temporary = self.directory.join(format!("{}.new", next_name()));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        Ok((temporary, file))
    }

    fn write(&self, name: &Hash, code: &[u8]) -> io::Result<()> {
        let key = self.key()?;
        let (temporary, mut file) = self.begin_file()?;
        let written = file
            .write_all(MAGIC)
            .and_then(|()| file.write_all(tag(&key, name, code).as_bytes()))
            .and_then(|()| file.write_all(code))
            .and_then(|()| fs::rename(&temporary, self.path(name)));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        self.shrink();
        written
    }

    /// The key, made with the cache.
    ///
    /// # Errors
    /// When the cache is not this user's alone, or cannot be made.
    fn key(&self) -> io::Result<[u8; 32]> {
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory);
        made?;
        check_private(&fs::metadata(&self.directory)?)?;
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
                let is_code = path.extension().is_some_and(|found| found == EXTENSION);
                let metadata = entry.metadata().ok().filter(|_| is_code)?;
                Some((metadata.modified().ok()?, metadata.len(), path))
            })
            .collect();
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, length, path) in files {
            if bytes <= DISK_BYTES_MAX {
                return;
            }
            let _ = fs::remove_file(path);
            bytes = bytes.saturating_sub(length);
        }
    }
}

fn read_key(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    check_private(&file.metadata()?)?;
    let mut key = [0; 32];
    file.read_exact(&mut key)?;
    Ok(key)
}

/// Nobody else can write it, and nobody else can read it.
fn check_private(metadata: &fs::Metadata) -> io::Result<()> {
    let own = metadata.uid() == rustix::process::geteuid().as_raw();
    if own && metadata.mode() & 0o077 == 0 {
        return Ok(());
    }
    let text = "the cache of compiled programs is open to other users";
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

fn tag(key: &[u8; 32], name: &Hash, code: &[u8]) -> Hash {
    let mut hasher = Hasher::new_keyed(key);
    hasher.update(name.as_bytes());
    hasher.update(code);
    hasher.finalize()
}

/// Where the code is in a file, if the file is authentic.
fn authentic(key: &[u8; 32], name: &Hash, file: &[u8]) -> Option<std::ops::Range<usize>> {
    let rest = file.strip_prefix(MAGIC)?;
    let (found, code) = rest.split_first_chunk::<32>()?;
    // Comparing hashes takes the same time whatever differs.
    let matches = tag(key, name, code) == Hash::from_bytes(*found);
    matches.then(|| MAGIC.len() + found.len()..file.len())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use atoll_sandbox::conformance::{accepted_by_environment, limits};

    use super::*;

    fn cache() -> (tempfile::TempDir, Disk, Hash) {
        let directory = tempfile::tempdir().unwrap();
        let disk = Disk::new(directory.path().join("compiled"));
        (directory, disk, blake3::hash(b"a name"))
    }

    #[test]
    fn what_was_written_is_found_and_nothing_else() {
        let (_directory, disk, name) = cache();
        assert_eq!(disk.read(&name), None);
        disk.write(&name, b"some code").unwrap();
        assert_eq!(disk.read(&name).as_deref(), Some(b"some code".as_slice()));
        assert_eq!(disk.read(&blake3::hash(b"another")), None);
        // Another process finds the same key.
        let again = Disk::new(disk.directory.clone());
        assert_eq!(again.read(&name).as_deref(), Some(b"some code".as_slice()));
    }

    #[test]
    fn a_file_that_was_changed_anywhere_is_not_loaded() {
        let (_directory, disk, name) = cache();
        disk.write(&name, b"some code").unwrap();
        let path = disk.path(&name);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&path, &changed).unwrap();
            assert_eq!(disk.read(&name), None, "{at}");
            assert!(!path.exists(), "what is wrong is removed");
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(disk.read(&name), None, "cut at {at}");
        }
        fs::write(&path, &whole).unwrap();
        assert!(disk.read(&name).is_some());
    }

    #[test]
    fn a_file_under_another_name_is_not_loaded() {
        let (_directory, disk, name) = cache();
        disk.write(&name, b"some code").unwrap();
        let other = blake3::hash(b"other");
        fs::copy(disk.path(&name), disk.path(&other)).unwrap();
        assert_eq!(disk.read(&other), None);
    }

    #[test]
    fn a_cache_that_others_can_read_is_not_used() {
        let (_directory, disk, name) = cache();
        disk.write(&name, b"some code").unwrap();
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&disk.directory, open).unwrap();
        assert_eq!(disk.read(&name), None);
        assert!(disk.write(&name, b"some code").is_err());
    }

    #[test]
    fn a_key_of_another_cache_does_not_fit() {
        let (_one, first, name) = cache();
        let (_two, second, _) = cache();
        first.write(&name, b"some code").unwrap();
        second.write(&name, b"other code").unwrap();
        fs::copy(first.path(&name), second.path(&name)).unwrap();
        assert_eq!(second.read(&name), None);
    }

    #[test]
    fn sealed_memory_stays_as_it_is() {
        let file = File::from(sealed(b"code").unwrap());
        assert!((&file).write_all(b"x").is_err());
        assert!(file.set_len(0).is_err());
        assert!(file.set_len(100).is_err());
    }

    #[test]
    fn memory_keeps_what_was_used_last() {
        let programs = Programs::default();
        let names: Vec<Hash> = (0..4_u8).map(|number| blake3::hash(&[number])).collect();
        for name in &names {
            programs
                .remember(GuestKind::Module, *name, b"code")
                .unwrap();
        }
        assert!(programs.remembered(&names[0]).is_some());
        let mut memory = lock(&programs.memory);
        memory.bytes = MEMORY_BYTES_MAX + 1;
        memory.shrink(&names[3]);
        drop(memory);
        assert!(programs.remembered(&names[1]).is_none());
        assert!(programs.remembered(&names[0]).is_some());
        assert!(programs.remembered(&names[3]).is_some());
    }

    #[tokio::test]
    async fn a_program_is_compiled_once_and_found_afterwards() {
        let directory = tempfile::tempdir().unwrap();
        let (limits, accept_missing) = (limits(), accepted_by_environment());
        let hash = blake3::hash(crate::NOTHING);
        let wanted = Wanted {
            kind: GuestKind::Module,
            hash: hash.as_bytes(),
            program: crate::NOTHING,
            limits: &limits,
            accept_missing: &accept_missing,
        };
        let first = Programs::default();
        first.keep_in(directory.path().join("compiled"));
        assert!(first.find(wanted.kind, wanted.hash).await.is_none());
        let [one, two, three] = [(); 3].map(|()| first.get(wanted, None));
        let (one, two, three) = tokio::join!(one, two, three);
        let numbers = [one, two, three].map(|code| code.unwrap().number);
        assert_eq!(numbers, [numbers[0]; 3]);
        assert_eq!(first.compiled(), 1);
        // As another process would.
        let second = Programs::default();
        second.keep_in(directory.path().join("compiled"));
        assert!(second.find(wanted.kind, wanted.hash).await.is_some());
        assert!(
            second
                .find(GuestKind::Component, wanted.hash)
                .await
                .is_none()
        );
        second.get(wanted, None).await.unwrap();
        assert_eq!(second.compiled(), 0);
    }
}
