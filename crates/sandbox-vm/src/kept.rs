//! Snapshots that outlive the process that took them.
//!
//! Owns how one is written down, and what it depends on: the guest image, QEMU, the processor where
//! guests see it, and what was asked for. A machine runs with whatever its snapshot holds, so what
//! comes from disk was checked by the cache to be what this user's Atoll wrote. Nothing of any
//! tenant is in one that is kept: those with an interpreter that waits are not.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use atoll_cache::{Cache, Kind};
use atoll_remote::protocol::Hello;
use blake3::Hash;
use rustix::fs::SeekFrom;
use serde::{Deserialize, Serialize};

use crate::accelerator::Accelerator;
use crate::emulator::Emulator;
use crate::image::{Identity, LastingIdentity};
use crate::snapshot::Wanted;
use crate::ticks;
use crate::volumes::VOLUME_BYTES;

/// Snapshots on disk.
pub(crate) const KEPT: Kind = Kind {
    magic: b"atoll snapshot 1",
    extension: "snapshot",
    file_bytes_max: 4 << 30,
    bytes_max: 4 << 30,
};

/// How far the processor's counter may be from where it was, in parts of its rate. Guests were told
/// how fast it counts, and measuring that is not exact.
const TICKS_PARTS: u64 = 500;

/// What clones have in common, such as where their kernel keeps things, is used for so long.
const KEPT_TIME_MAX_S: u64 = 24 * 3600;

/// A snapshot as it is in memory, without what it was asked for.
pub(crate) struct Taken {
    pub(crate) memory: OwnedFd,
    pub(crate) state: OwnedFd,
    pub(crate) hello: Hello,
    pub(crate) boots: u32,
}

/// What a file begins with, behind its own length.
#[derive(Serialize, Deserialize)]
struct Head {
    hello: Hello,
    boots: u32,
    /// When it was taken, in seconds since 1970.
    taken_s: u64,
    /// Of the counter, where the guest was told how fast it is.
    ticks_khz: Option<u64>,
    /// The guest image's files, which were whole when it booted.
    image: Vec<LastingIdentity>,
    state_bytes: u64,
    memory_bytes: u64,
    /// Where there is something in the memory: from which byte, and how many.
    pieces: Vec<(u64, u64)>,
}

/// What a snapshot is known by. It is made before the snapshot is, of what the snapshot depends on:
/// this program says how a machine is made, and the rest what it is made of.
pub(crate) fn name(wanted: &Wanted) -> Option<Hash> {
    let emulator = Emulator::find(wanted.accelerator).ok()?;
    let own = Identity::of(Path::new("/proc/self/exe")).ok()?;
    let surroundings = &wanted.surroundings;
    let described = serde_json::json!({
        "accelerator": wanted.accelerator.name(),
        "host": (wanted.accelerator == Accelerator::Kvm).then(host),
        "emulator": emulator.identity(),
        "atoll": own.lasting(),
        "image": wanted.image.hashes(),
        "memory_mib": wanted.size.memory_mib,
        "processors": wanted.size.processors,
        "volume_bytes": VOLUME_BYTES,
        "kind": surroundings.kind.name(),
        "modules": surroundings.modules,
    });
    Some(blake3::hash(described.to_string().as_bytes()))
}

/// The processor and the kernel, which guests that are not emulated depend on.
fn host() -> Vec<String> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let processor = read("/proc/cpuinfo");
    let first = processor.lines().take_while(|line| !line.is_empty());
    let lasts = |line: &&str| !line.starts_with("cpu MHz") && !line.starts_with("bogomips");
    let first = first.filter(lasts).map(str::to_owned);
    first.chain([read("/proc/version")]).collect()
}

/// What is known of why no kernel boots with KVM here, until something of the host changes.
pub(crate) struct KvmFailure {
    cache: Cache,
    name: Hash,
}

impl KvmFailure {
    pub(crate) fn in_cache(cache: &Cache) -> Option<Self> {
        let emulator = Emulator::find(Accelerator::Kvm).ok()?;
        let described = serde_json::json!(["no KVM", host(), emulator.identity()]);
        Some(Self {
            cache: cache.clone(),
            name: blake3::hash(described.to_string().as_bytes()),
        })
    }

    /// What an earlier process has found, not too long ago.
    pub(crate) fn read(&self) -> Option<String> {
        let content = self.cache.read(&self.name)?;
        let (then, why) = content.split_first_chunk::<8>()?;
        is_recent(u64::from_le_bytes(*then)).then(|| String::from_utf8_lossy(why).into_owned())
    }

    pub(crate) fn write(&self, why: &str) {
        // What is not kept is found out again.
        let _ = self
            .cache
            .write(&self.name, &[&now_s().to_le_bytes(), why.as_bytes()]);
    }
}

fn now_s() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}

fn is_recent(then_s: u64) -> bool {
    let now_s = now_s();
    then_s <= now_s && now_s - then_s < KEPT_TIME_MAX_S
}

/// One that an earlier process took, if it still fits.
pub(crate) fn read(cache: &Cache, name: &Hash, wanted: &Wanted) -> Option<Taken> {
    let content = cache.read(name)?;
    let (length, rest) = content.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (head, rest) = rest.split_at_checked(length)?;
    let head: Head = serde_json::from_slice(head).ok()?;
    let fits = head.image == wanted.image.identities() && counts_alike(head.ticks_khz);
    if !fits || !is_recent(head.taken_s) {
        return None;
    }
    let (state, mut rest) = rest.split_at_checked(usize::try_from(head.state_bytes).ok()?)?;
    let memory = File::from(memory_file("memory", head.memory_bytes).ok()?);
    for (begin, bytes) in head.pieces {
        let (piece, others) = rest.split_at_checked(usize::try_from(bytes).ok()?)?;
        memory.write_all_at(piece, begin).ok()?;
        rest = others;
    }
    let state_file = File::from(memory_file("state", 0).ok()?);
    state_file.write_all_at(state, 0).ok()?;
    Some(Taken {
        memory: memory.into(),
        state: state_file.into(),
        hello: head.hello,
        boots: head.boots,
    })
}

/// Keeps one for later processes.
///
/// # Errors
/// When it cannot be read or written; then later processes boot.
pub(crate) fn write(cache: &Cache, name: &Hash, wanted: &Wanted, taken: &Taken) -> io::Result<()> {
    let state = File::from(taken.state.try_clone()?);
    let memory = File::from(taken.memory.try_clone()?);
    let pieces = pieces(&memory)?;
    let head = Head {
        hello: taken.hello.clone(),
        boots: taken.boots,
        taken_s: now_s(),
        ticks_khz: ticks::kilohertz(),
        image: wanted.image.identities(),
        state_bytes: state.metadata()?.len(),
        memory_bytes: memory.metadata()?.len(),
        pieces,
    };
    let mut parts = Vec::new();
    let text = serde_json::to_vec(&head)?;
    parts.push((text.len() as u64).to_le_bytes().to_vec());
    parts.push(text);
    parts.push(read_piece(&state, 0, head.state_bytes)?);
    for (begin, bytes) in &head.pieces {
        parts.push(read_piece(&memory, *begin, *bytes)?);
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    cache.write(name, &parts)
}

fn counts_alike(then: Option<u64>) -> bool {
    match (then, ticks::kilohertz()) {
        (None, None) => true,
        (Some(then), Some(now)) => then.abs_diff(now) <= now / TICKS_PARTS,
        _ => false,
    }
}

fn read_piece(file: &File, begin: u64, bytes: u64) -> io::Result<Vec<u8>> {
    let mut piece = vec![0; usize::try_from(bytes).map_err(io::Error::other)?];
    file.read_exact_at(&mut piece, begin)?;
    Ok(piece)
}

/// Where there is something in a file.
fn pieces(file: &File) -> io::Result<Vec<(u64, u64)>> {
    let mut pieces = Vec::new();
    let mut position = 0;
    loop {
        let begin = match rustix::fs::seek(file.as_fd(), SeekFrom::Data(position)) {
            Ok(begin) => begin,
            // Nothing is behind it.
            Err(rustix::io::Errno::NXIO) => return Ok(pieces),
            Err(error) => return Err(error.into()),
        };
        position = rustix::fs::seek(file.as_fd(), SeekFrom::Hole(begin))?;
        pieces.push((begin, position.saturating_sub(begin)));
    }
}

/// A file in memory that can be sealed.
pub(crate) fn memory_file(name: &str, bytes: u64) -> io::Result<OwnedFd> {
    use rustix::fs::MemfdFlags;
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = rustix::fs::memfd_create(name, flags)?;
    rustix::fs::ftruncate(&file, bytes)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_written_of_a_file_is_a_piece() {
        let file = File::from(memory_file("test", 1 << 20).unwrap());
        assert_eq!(pieces(&file).unwrap(), []);
        file.write_all_at(b"x", 0).unwrap();
        file.write_all_at(b"y", (1 << 20) - 1).unwrap();
        let found = pieces(&file).unwrap();
        assert!(found.iter().all(|(_, bytes)| *bytes < 1 << 19), "{found:?}");
        assert_eq!(read_piece(&file, (1 << 20) - 1, 1).unwrap(), b"y");
    }
}
