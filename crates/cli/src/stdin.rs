//! Reads this process's own standard input for a program, on a thread of its own.
//!
//! A read from a terminal or a pipe cannot be taken back, so it happens where nobody waits for it:
//! the process ends without the thread.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsFd as _;

use atoll_types::Stdin;
use rustix::fs::FileType;
use tokio::sync::mpsc;

/// Bytes read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Chunks that wait for the program, at most.
const CHUNKS_MAX: usize = 1;

/// The largest file that is read before the program starts, so that its size is known.
const KNOWN_BYTES_MAX: u64 = 64 << 20;

/// Standard input as the message has it: the bytes of a plain file, else a stream.
pub(crate) fn given() -> Stdin {
    known().map_or(Stdin::Stream, |bytes| Stdin::Bytes(bytes.into()))
}

/// What is left to read of a plain file, when that is not too much. Reading it moves its position,
/// as the program's own reading would.
fn known() -> Option<Vec<u8>> {
    let stdin = rustix::stdio::stdin();
    let stat = rustix::fs::fstat(stdin).ok()?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return None;
    }
    let length = u64::try_from(stat.st_size).ok()?;
    let at = rustix::fs::tell(stdin).ok()?;
    let left = length.saturating_sub(at);
    if left > KNOWN_BYTES_MAX {
        return None;
    }
    let mut bytes = Vec::with_capacity(usize::try_from(left).ok()?);
    let file = File::from(stdin.try_clone_to_owned().ok()?);
    file.take(KNOWN_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Begins to read what the message has as a stream. `None` when there is nothing to read.
pub(crate) fn stream(given: &Stdin) -> Option<mpsc::Receiver<Vec<u8>>> {
    if !matches!(given, Stdin::Stream) || is_null() || is_in_background() {
        return None;
    }
    let (sender, receiver) = mpsc::channel(CHUNKS_MAX);
    let spawned = std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || pump(&sender));
    // Without a thread the program sees an empty input, which is better than none at all.
    spawned.ok().map(|_| receiver)
}

fn pump(sender: &mpsc::Sender<Vec<u8>>) {
    // Read past the buffer of `std::io::stdin`, which nobody else uses here.
    let Ok(stdin) = rustix::stdio::stdin().try_clone_to_owned() else {
        return;
    };
    let mut stdin = File::from(stdin);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match stdin.read(&mut chunk) {
            Ok(0) => return,
            Ok(length) => {
                let bytes = chunk.get(..length).unwrap_or_default().to_vec();
                if sender.blocking_send(bytes).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Whether standard input is /dev/null, which needs no thread.
fn is_null() -> bool {
    let null = rustix::fs::makedev(1, 3);
    rustix::fs::fstat(rustix::stdio::stdin()).is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == null
    })
}

/// Whether this is a background job of a shell: reading from the terminal would stop it.
fn is_in_background() -> bool {
    let stdin = rustix::stdio::stdin();
    match rustix::termios::tcgetpgrp(stdin.as_fd()) {
        Ok(foreground) => foreground != rustix::process::getpgrp(),
        // No terminal, or not ours.
        Err(_) => false,
    }
}
