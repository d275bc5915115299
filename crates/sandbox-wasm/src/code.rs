//! Compiled programs: found in memory, in the cache on disk, or compiled.
//!
//! Owns what a compiled program is known by: the program's hash, the helper program that compiles
//! and runs it (and so the runtime's version and settings), and the processor. Compiled code runs
//! with everything its worker can do, so what comes from disk was checked by the cache to be what
//! this user's Atoll wrote, and is copied into sealed memory, where it stays as it was.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use atoll_cache::{Cache, Kind};
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

/// Compiled programs on disk.
const KEPT: Kind = Kind {
    magic: b"atoll compiled 1",
    extension: "compiled",
    file_bytes_max: 1 << 30,
    bytes_max: 1 << 30,
};

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
    disk: OnceLock<Cache>,
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
        self.disk.get_or_init(|| Cache::new(directory, KEPT));
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

    /// Whether a program is compiled already, as far as names tell: what is on disk is not read.
    pub(crate) fn has(&self, kind: GuestKind, hash: &[u8]) -> bool {
        let Ok(name) = name(kind, hash) else {
            return false;
        };
        let on_disk = || {
            self.disk
                .get()
                .is_some_and(|disk| disk.path(&name).is_file())
        };
        lock(&self.memory).codes.contains_key(&name) || on_disk()
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
            let written = tokio::task::spawn_blocking(move || disk.write(&name, &[&compiled]));
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

#[cfg(test)]
mod tests {
    use atoll_sandbox::conformance::{accepted_by_environment, limits};

    use super::*;

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
