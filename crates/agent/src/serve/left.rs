//! Tells what a program left.
//!
//! Owns which files' bytes are sent: those that fit, each once, whatever its names.

use std::collections::HashSet;
use std::io::{self, Read};

use atoll_remote::WireWriter;
use atoll_remote::protocol::{LeftFile, Notice, PIECE_BYTES_MAX};
use atoll_sandbox::{Leaving, Leavings};
use atoll_types::SkipReason;

/// Reading goes on while less than this waits to be sent.
const WAITING_BYTES_MAX: usize = 4 * PIECE_BYTES_MAX;

pub(super) async fn tell(
    leavings: Leavings,
    bytes_max: u64,
    writer: &mut WireWriter,
) -> io::Result<()> {
    let mut bytes_left = bytes_max;
    let mut known = HashSet::new();
    for Leaving { path, file } in leavings {
        let file = match file {
            Ok(file) if file.bytes > bytes_left => Err(SkipReason::TooLarge),
            other => other,
        };
        let mut content = None;
        let file = file.map(|file| {
            let is_new = file.shared.is_none_or(|shared| known.insert(shared));
            if is_new {
                content = Some(file.content);
            }
            LeftFile {
                bytes: file.bytes,
                executable: file.executable,
                shared: file.shared,
                follows: is_new,
            }
        });
        let bytes = file.as_ref().map_or(0, |file| file.bytes);
        writer.queue(&Notice::Left { path, file })?;
        if let Some(mut content) = content {
            bytes_left = bytes_left.saturating_sub(bytes);
            send(&mut *content, bytes, writer).await?;
        }
        if writer.waiting_bytes() >= WAITING_BYTES_MAX {
            writer.flush().await?;
        }
    }
    Ok(())
}

/// Sends exactly as many bytes as were promised; a file that has fewer is filled up.
async fn send(
    content: &mut (dyn Read + Send),
    bytes: u64,
    writer: &mut WireWriter,
) -> io::Result<()> {
    let mut left = bytes;
    while left > 0 {
        let length = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(PIECE_BYTES_MAX);
        let mut piece = vec![0; length];
        read_some(content, &mut piece);
        writer.queue(&Notice::LeftBytes(piece))?;
        left = left.saturating_sub(length as u64);
        if writer.waiting_bytes() >= WAITING_BYTES_MAX {
            writer.flush().await?;
        }
    }
    Ok(())
}

fn read_some(content: &mut (dyn Read + Send), piece: &mut [u8]) {
    let mut rest = piece;
    while !rest.is_empty() {
        match content.read(rest) {
            // Nothing writes to it any more, so what cannot be read now never can.
            Ok(0) => return,
            Ok(count) => rest = rest.get_mut(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
