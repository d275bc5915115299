//! The bytes of one file: shared with whoever sent them until they are first written to.

use bytes::Bytes;

use crate::host::errno::Errno;

/// The bytes of a file.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Bytes that others hold as well; when they are there, `own` is empty.
    shared: Option<Bytes>,
    own: Vec<u8>,
    is_input: bool,
}

impl Content {
    /// What was sent along with the program.
    pub(super) const fn input(bytes: Bytes) -> Self {
        Self {
            shared: Some(bytes),
            own: Vec::new(),
            is_input: true,
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.bytes().len() as u64
    }

    /// Whether these are not the bytes that were sent.
    pub(super) const fn is_changed(&self) -> bool {
        !self.is_input
    }

    fn bytes(&self) -> &[u8] {
        self.shared.as_deref().unwrap_or(&self.own)
    }

    /// Everything behind a position.
    pub(super) fn from(&self, at: u64) -> &[u8] {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        self.bytes().get(at..).unwrap_or_default()
    }

    /// The bytes, to be kept beyond the tree.
    pub(super) fn share(&mut self) -> Bytes {
        let own = &mut self.own;
        let shared = self
            .shared
            .get_or_insert_with(|| std::mem::take(own).into());
        shared.clone()
    }

    /// Writes at a position, with zeros before it where there was nothing.
    pub(super) fn write(&mut self, at: u64, bytes: &[u8]) -> Result<usize, Errno> {
        let at = usize::try_from(at).map_err(|_| Errno::FileTooLarge)?;
        let end = at.checked_add(bytes.len()).ok_or(Errno::FileTooLarge)?;
        let own = self.own();
        if at == own.len() {
            reserve(own, end)?;
            own.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        if end > own.len() {
            reserve(own, end)?;
            own.resize(end, 0);
        }
        if let Some(place) = own.get_mut(at..end) {
            place.copy_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    /// Cuts the end off, or adds zeros.
    pub(super) fn set_len(&mut self, size: u64) -> Result<(), Errno> {
        let size = usize::try_from(size).map_err(|_| Errno::FileTooLarge)?;
        if let Some(shared) = &mut self.shared {
            // What is cut off need not be copied.
            shared.truncate(size);
        }
        let own = self.own();
        reserve(own, size)?;
        own.resize(size, 0);
        if size == 0 {
            *own = Vec::new();
        }
        Ok(())
    }

    fn own(&mut self) -> &mut Vec<u8> {
        self.is_input = false;
        if let Some(shared) = self.shared.take() {
            self.own = shared.to_vec();
        }
        &mut self.own
    }
}

/// Makes room for `end` bytes: a quarter more than needed, where doubling would let the files of a
/// guest take twice their budget of the host's memory.
fn reserve(bytes: &mut Vec<u8>, end: usize) -> Result<(), Errno> {
    if end <= bytes.capacity() {
        return Ok(());
    }
    let needed = end.saturating_sub(bytes.len());
    let ahead = needed.saturating_add((end / 4).max(64));
    bytes
        .try_reserve_exact(ahead)
        .or_else(|_| bytes.try_reserve_exact(needed))
        .map_err(|_| Errno::NoMemory)
}
