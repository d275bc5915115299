//! The descriptors of a module.
//!
//! Owns which number is what, and the position and flags of what is open. The first seven are there
//! from the beginning: the streams, and the directories under their names.

use super::descriptor::RIGHT_WRITE;
use crate::host::DIRECTORIES;
use crate::host::errno::Errno;
use crate::host::files::NodeId;
use crate::host::streams::OutputName;

/// The number of the first directory.
pub(super) const FIRST_DIRECTORY: u32 = 3;

/// Something open.
#[derive(Debug)]
pub(super) enum Descriptor {
    Input,
    Output(OutputName),
    /// A directory that is there from the beginning, by its place in [`DIRECTORIES`].
    Given(usize),
    Open(Open),
}

/// A file or directory that the guest opened.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) node: NodeId,
    pub(super) is_directory: bool,
    pub(super) position: u64,
    /// Whether it can be read and written, as preview 1 numbers these rights.
    pub(super) rights: u64,
    /// The flags of the descriptor, as preview 1 numbers them.
    pub(super) flags: u16,
    /// The path that rules see; known only when there are rules.
    pub(super) path: Option<Box<[u8]>>,
}

/// All descriptors, by number.
#[derive(Debug)]
pub(super) struct Table(Vec<Option<Descriptor>>);

impl Default for Table {
    fn default() -> Self {
        let mut all = Vec::with_capacity(8);
        all.push(Some(Descriptor::Input));
        all.push(Some(Descriptor::Output(OutputName::Output)));
        all.push(Some(Descriptor::Output(OutputName::Error)));
        let given = 0..DIRECTORIES.len();
        all.extend(given.map(|index| Some(Descriptor::Given(index))));
        Self(all)
    }
}

impl Table {
    pub(super) fn get(&self, number: u32) -> Result<&Descriptor, Errno> {
        let slot = self.0.get(number as usize);
        slot.and_then(Option::as_ref).ok_or(Errno::BadDescriptor)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Result<&mut Descriptor, Errno> {
        let slot = self.0.get_mut(number as usize);
        slot.and_then(Option::as_mut).ok_or(Errno::BadDescriptor)
    }

    /// Gives something the lowest number that is free.
    pub(super) fn insert(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        if let Some(free) = self.0.iter().position(Option::is_none)
            && let Some(slot) = self.0.get_mut(free)
        {
            *slot = Some(descriptor);
            return u32::try_from(free).map_err(|_| Errno::TooManyFiles);
        }
        let number = u32::try_from(self.0.len()).map_err(|_| Errno::TooManyFiles)?;
        self.0.push(Some(descriptor));
        Ok(number)
    }

    pub(super) fn remove(&mut self, number: u32) -> Result<Descriptor, Errno> {
        let slot = self.0.get_mut(number as usize);
        slot.and_then(Option::take).ok_or(Errno::BadDescriptor)
    }

    /// Moves a descriptor to the number of another, which is given back.
    pub(super) fn renumber(&mut self, from: u32, to: u32) -> Result<Option<Descriptor>, Errno> {
        self.get(from)?;
        self.get(to)?;
        if from == to {
            return Ok(None);
        }
        let moved = self.remove(from)?;
        Ok(Some(std::mem::replace(self.get_mut(to)?, moved)))
    }

    /// A directory to resolve paths from.
    pub(super) fn directory(&self, number: u32) -> Result<NodeId, Errno> {
        match self.get(number)? {
            Descriptor::Given(index) => given(*index),
            Descriptor::Open(open) if open.is_directory => Ok(open.node),
            Descriptor::Open(_) | Descriptor::Input | Descriptor::Output(_) => {
                Err(Errno::NotDirectory)
            }
        }
    }

    /// A file that the guest opened.
    pub(super) fn file(&mut self, number: u32) -> Result<&mut Open, Errno> {
        match self.get_mut(number)? {
            Descriptor::Open(open) if !open.is_directory => Ok(open),
            _ => Err(Errno::BadDescriptor),
        }
    }

    /// A file that the guest opened to write to it.
    pub(super) fn writable(&mut self, number: u32) -> Result<&mut Open, Errno> {
        let open = self.file(number)?;
        if open.rights & RIGHT_WRITE == 0 {
            return Err(Errno::BadDescriptor);
        }
        Ok(open)
    }

    /// The node behind a descriptor, if it has one.
    pub(super) fn node(&self, number: u32) -> Result<NodeId, Errno> {
        match self.get(number)? {
            Descriptor::Given(index) => given(*index),
            Descriptor::Open(open) => Ok(open.node),
            Descriptor::Input | Descriptor::Output(_) => Err(Errno::BadDescriptor),
        }
    }
}

pub(super) fn given(index: usize) -> Result<NodeId, Errno> {
    let found = DIRECTORIES.get(index);
    found.map(|(_, node)| *node).ok_or(Errno::BadDescriptor)
}

/// The name of a directory that is there from the beginning.
pub(super) fn given_name(index: usize) -> Result<&'static str, Errno> {
    let found = DIRECTORIES.get(index);
    found.map(|(name, _)| *name).ok_or(Errno::BadDescriptor)
}
