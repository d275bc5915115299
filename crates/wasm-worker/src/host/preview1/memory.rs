//! The guest's memory as preview 1 reads and writes it. A pointer that leads outside ends the
//! guest, as the interface says it must.

use std::ops::Range;

use crate::host::enter::Failure;
use crate::host::errno::Errno;

/// How many buffers one call takes.
const BUFFERS_MAX: u32 = 1024;

/// The bytes of a guest's memory, during one call.
pub(super) struct Bytes<'a> {
    bytes: &'a mut [u8],
    call: &'a str,
}

impl<'a> Bytes<'a> {
    pub(super) const fn new(bytes: &'a mut [u8], call: &'a str) -> Self {
        Self { bytes, call }
    }

    fn outside(&self) -> Failure {
        Failure::Stop(wasmtime::Error::msg(format!(
            "the program gave {} a pointer that leads out of its memory",
            self.call
        )))
    }

    fn range(at: u32, length: u32) -> Range<usize> {
        let at = at as usize;
        at..at.saturating_add(length as usize)
    }

    pub(super) fn slice(&self, at: u32, length: u32) -> Result<&[u8], Failure> {
        let found = self.bytes.get(Self::range(at, length));
        found.ok_or_else(|| self.outside())
    }

    pub(super) fn slice_mut(&mut self, at: u32, length: u32) -> Result<&mut [u8], Failure> {
        let range = Self::range(at, length);
        if range.end > self.bytes.len() {
            return Err(self.outside());
        }
        self.bytes
            .get_mut(range)
            .ok_or(Failure::Errno(Errno::Invalid))
    }

    pub(super) fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Failure> {
        let length = u32::try_from(bytes.len()).map_err(|_| Errno::Overflow)?;
        self.slice_mut(at, length)?.copy_from_slice(bytes);
        Ok(())
    }

    pub(super) fn write_u32(&mut self, at: u32, value: u32) -> Result<(), Failure> {
        self.write(at, &value.to_le_bytes())
    }

    pub(super) fn write_u64(&mut self, at: u32, value: u64) -> Result<(), Failure> {
        self.write(at, &value.to_le_bytes())
    }

    /// Some text: a path or a name.
    pub(super) fn text(&self, at: u32, length: u32) -> Result<&[u8], Failure> {
        let bytes = self.slice(at, length)?;
        if std::str::from_utf8(bytes).is_err() {
            return Err(Errno::IllegalBytes.into());
        }
        Ok(bytes)
    }

    /// The places of the buffers of a call, which are all inside the memory.
    pub(super) fn buffers(&self, at: u32, count: u32) -> Result<Buffers, Failure> {
        if count > BUFFERS_MAX {
            return Err(Errno::Invalid.into());
        }
        let size = count.saturating_mul(8);
        let list = self.slice(at, size)?;
        let mut found = Buffers::default();
        for pair in list.chunks_exact(8) {
            let (start, length) = pair.split_at(4);
            let number = |bytes: &[u8]| bytes.try_into().map_or(0, u32::from_le_bytes);
            let (start, length) = (number(start), number(length));
            self.slice(start, length)?;
            found.push((start, length));
        }
        Ok(found)
    }
}

/// The buffers of one call: almost always one or two.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    first: [(u32, u32); 2],
    count: usize,
    more: Vec<(u32, u32)>,
}

impl Buffers {
    fn push(&mut self, buffer: (u32, u32)) {
        match self.first.get_mut(self.count) {
            Some(place) => *place = buffer,
            None => self.more.push(buffer),
        }
        self.count = self.count.saturating_add(1);
    }

    /// Where each is and how long it is.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        let first = self.first.iter().take(self.count);
        first.chain(&self.more).copied()
    }
}
