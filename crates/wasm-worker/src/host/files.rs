//! The files of one guest, in memory: nothing of the host's is ever opened.
//!
//! Owns the tree of directories, files and links, who holds which of them open, and the budget of
//! bytes, files and descriptors. It does not know through which interface a guest asks, and a path
//! never leads out of the directory that it starts from.
//!
//! There are two directories to start from: the guest's working directory, and one for temporary
//! files that nobody collects. Neither is inside the other.

mod change;
mod content;
mod path;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;

use super::errno::Errno;
use content::Content;

/// The number of a file, directory or link in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(u32);

/// The directory that a guest finds as `/`, `/work` and `.`.
pub(crate) const WORK: NodeId = NodeId(0);

/// The directory for temporary files.
pub(crate) const TEMPORARY: NodeId = NodeId(1);

/// The cookie of the first entry of a directory that is neither `.` nor `..`.
const FIRST_COOKIE: u64 = 2;

/// What a guest's files may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileLimits {
    /// The bytes of all files together. A hole in a file counts as if it had been written.
    pub(crate) bytes_max: u64,
    /// Files, directories and links together, without the two that are always there.
    pub(crate) files_max: u64,
    /// Open files and directories together.
    pub(crate) open_max: u64,
}

/// A limit that the files of a guest ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileHit {
    /// Bytes or files.
    Disk,
    /// Open files.
    OpenFiles,
}

/// What kind of thing a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
}

/// The properties of a file. Times are nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) kind: FileKind,
    /// Unique among what exists at the same time; never 0.
    pub(crate) inode: u64,
    pub(crate) links: u64,
    pub(crate) size: u64,
    pub(crate) accessed: u64,
    pub(crate) modified: u64,
    pub(crate) changed: u64,
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Arc<[u8]>,
    pub(crate) kind: FileKind,
    pub(crate) inode: u64,
    /// Where listing goes on behind this entry, whatever is added or removed meanwhile.
    pub(crate) next_cookie: u64,
}

/// A file that is there when a guest has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaving {
    /// Relative to the working directory, without `.`, `..` and empty parts.
    pub(crate) path: Vec<u8>,
    /// Its content.
    pub(crate) bytes: Bytes,
    /// False for an input file that the guest did not write to.
    pub(crate) changed: bool,
}

/// How to open something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct OpenOptions {
    /// Follow a symbolic link at the end of the path.
    pub(crate) follow: bool,
    /// Make the file when it is not there.
    pub(crate) create: bool,
    /// With `create`: fail when it is there.
    pub(crate) exclusive: bool,
    /// Empty the file.
    pub(crate) truncate: bool,
    /// Fail when it is not a directory.
    pub(crate) directory: bool,
    /// It is to be written to.
    pub(crate) write: bool,
}

/// All files of one guest.
#[derive(Debug)]
pub(crate) struct Files {
    nodes: Vec<Option<Node>>,
    free: Vec<u32>,
    limits: FileLimits,
    bytes: u64,
    /// Bytes that were read from files, and written to them.
    read_bytes: u64,
    written_bytes: u64,
    files: u64,
    open: u64,
    hit: Option<FileHit>,
    /// Nanoseconds since 1970.
    clock: fn() -> u64,
}

#[derive(Debug)]
struct Node {
    kind: Kind,
    links: u32,
    open: u32,
    accessed: u64,
    modified: u64,
    changed: u64,
}

#[derive(Debug)]
enum Kind {
    Directory(Directory),
    File(Content),
    Link(Box<[u8]>),
}

#[derive(Debug, Default)]
struct Directory {
    /// `None` for the two that are always there, and for one that was removed.
    parent: Option<NodeId>,
    names: HashMap<Arc<[u8]>, (NodeId, u64)>,
    /// The names by the order in which they came, for listing.
    order: BTreeMap<u64, Arc<[u8]>>,
    next_cookie: u64,
}

impl Directory {
    fn insert(&mut self, name: &[u8], node: NodeId) {
        let name: Arc<[u8]> = name.into();
        let cookie = self.next_cookie.max(FIRST_COOKIE);
        self.next_cookie = cookie.saturating_add(1);
        self.order.insert(cookie, Arc::clone(&name));
        self.names.insert(name, (node, cookie));
    }

    fn remove(&mut self, name: &[u8]) -> Option<NodeId> {
        let (node, cookie) = self.names.remove(name)?;
        self.order.remove(&cookie);
        Some(node)
    }

    fn get(&self, name: &[u8]) -> Option<NodeId> {
        self.names.get(name).map(|(node, _)| *node)
    }
}

impl Node {
    const fn new(kind: Kind, now: u64) -> Self {
        Self {
            kind,
            links: 0,
            open: 0,
            accessed: now,
            modified: now,
            changed: now,
        }
    }

    const fn file_kind(&self) -> FileKind {
        match self.kind {
            Kind::Directory(_) => FileKind::Directory,
            Kind::File(_) => FileKind::File,
            Kind::Link(_) => FileKind::Link,
        }
    }

    fn size(&self) -> u64 {
        match &self.kind {
            Kind::Directory(_) => 0,
            Kind::File(content) => content.len(),
            Kind::Link(target) => target.len() as u64,
        }
    }
}

impl Files {
    /// The two empty directories.
    pub(crate) fn new(limits: FileLimits, clock: fn() -> u64) -> Self {
        let now = clock();
        let directory = || {
            let mut node = Node::new(Kind::Directory(Directory::default()), now);
            node.links = 2;
            Some(node)
        };
        Self {
            nodes: vec![directory(), directory()],
            free: Vec::new(),
            limits,
            bytes: 0,
            read_bytes: 0,
            written_bytes: 0,
            files: 0,
            open: 0,
            hit: None,
            clock,
        }
    }

    /// Puts an input file into the working directory, with the directories on its way. The bytes
    /// are shared until the guest writes to the file.
    ///
    /// # Errors
    /// As making a file of that name by the guest would fail: the budget counts inputs as well.
    pub(crate) fn add(&mut self, path: &[u8], bytes: Bytes) -> Result<(), Errno> {
        let start = path.iter().position(|byte| *byte != b'/');
        let path = start.and_then(|start| path.get(start..)).unwrap_or(path);
        for (end, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            match self.make_directory(WORK, path.get(..end).unwrap_or_default()) {
                Ok(()) | Err(Errno::Exists) => {}
                Err(error) => return Err(error),
            }
        }
        let options = OpenOptions {
            create: true,
            exclusive: true,
            write: true,
            ..OpenOptions::default()
        };
        let node = self.open(WORK, path, options)?;
        let added = self.fill(node, bytes);
        self.close(node);
        added
    }

    fn fill(&mut self, id: NodeId, bytes: Bytes) -> Result<(), Errno> {
        self.charge(0, bytes.len() as u64)?;
        if let Kind::File(content) = &mut self.node_mut(id)?.kind {
            *content = Content::input(bytes);
        }
        Ok(())
    }

    /// The first limit that was hit, if any.
    pub(crate) const fn hit(&self) -> Option<FileHit> {
        self.hit
    }

    /// The bytes of all files together.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many files, directories and links there are.
    #[cfg(test)]
    pub(crate) const fn count(&self) -> u64 {
        self.files
    }

    /// Every file in the working directory, the content shared, not copied.
    pub(crate) fn leavings(&mut self) -> Vec<Leaving> {
        let mut found = Vec::new();
        // Directories that still have to be looked at.
        let mut pending = vec![(WORK, Vec::new())];
        while let Some((id, path)) = pending.pop() {
            let Ok(Kind::Directory(directory)) = self.node(id).map(|node| &node.kind) else {
                continue;
            };
            let entries: Vec<_> = directory
                .order
                .values()
                .filter_map(|name| Some((Arc::clone(name), directory.get(name)?)))
                .collect();
            for (name, id) in entries {
                let mut path: Vec<u8> = path.clone();
                if !path.is_empty() {
                    path.push(b'/');
                }
                path.extend_from_slice(&name);
                match self.node_mut(id).map(|node| &mut node.kind) {
                    Ok(Kind::Directory(_)) => pending.push((id, path)),
                    Ok(Kind::File(content)) => found.push(Leaving {
                        path,
                        changed: content.is_changed(),
                        bytes: content.share(),
                    }),
                    Ok(Kind::Link(_)) | Err(_) => {}
                }
            }
        }
        found
    }

    /// Lets go of something that [`Self::open`] opened or [`Self::hold`] holds.
    pub(crate) fn close(&mut self, id: NodeId) {
        self.open = self.open.saturating_sub(1);
        if let Ok(node) = self.node_mut(id) {
            node.open = node.open.saturating_sub(1);
        }
        self.forget_unused(id);
    }

    /// Holds something open once more.
    ///
    /// # Errors
    /// [`Errno::TooManyFiles`] past the budget.
    pub(crate) fn hold(&mut self, id: NodeId) -> Result<(), Errno> {
        if self.open >= self.limits.open_max {
            self.hit.get_or_insert(FileHit::OpenFiles);
            return Err(Errno::TooManyFiles);
        }
        let node = self.node_mut(id)?;
        node.open = node.open.saturating_add(1);
        self.open = self.open.saturating_add(1);
        Ok(())
    }

    /// The properties of something open.
    pub(crate) fn stat(&self, id: NodeId) -> Result<Stat, Errno> {
        let node = self.node(id)?;
        Ok(Stat {
            kind: node.file_kind(),
            inode: inode(id),
            links: node.links.into(),
            size: node.size(),
            accessed: node.accessed,
            modified: node.modified,
            changed: node.changed,
        })
    }

    /// What kind of thing is open.
    pub(crate) fn kind(&self, id: NodeId) -> Result<FileKind, Errno> {
        Ok(self.node(id)?.file_kind())
    }

    /// Sets times; `None` leaves one as it is.
    pub(crate) fn set_times(
        &mut self,
        id: NodeId,
        accessed: Option<u64>,
        modified: Option<u64>,
    ) -> Result<(), Errno> {
        let now = self.now();
        let node = self.node_mut(id)?;
        node.accessed = accessed.unwrap_or(node.accessed);
        node.modified = modified.unwrap_or(node.modified);
        node.changed = now;
        Ok(())
    }

    /// Bytes that were ever read.
    pub(crate) const fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// Bytes that were ever written, however often over one another.
    pub(crate) const fn written_bytes(&self) -> u64 {
        self.written_bytes
    }

    /// Reads into `buffer` and says how much there was; 0 is the end of the file.
    pub(crate) fn read(&mut self, id: NodeId, at: u64, buffer: &mut [u8]) -> Result<usize, Errno> {
        let now = self.now();
        let node = self.node_mut(id)?;
        let Kind::File(content) = &node.kind else {
            return Err(not_a_file(node));
        };
        let there = content.from(at);
        let count = there.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), there.get(..count)) {
            to.copy_from_slice(from);
        }
        node.accessed = now;
        self.read_bytes = self.read_bytes.saturating_add(count as u64);
        Ok(count)
    }

    /// Writes bytes, past the end as well: what lies between becomes zeros. Where the budget ends,
    /// the part that fits is written.
    ///
    /// # Errors
    /// [`Errno::NoSpace`] when not one byte fits.
    pub(crate) fn write(&mut self, id: NodeId, at: u64, bytes: &[u8]) -> Result<usize, Errno> {
        if bytes.is_empty() {
            return match self.kind(id)? {
                FileKind::File => Ok(0),
                FileKind::Directory => Err(Errno::IsDirectory),
                FileKind::Link => Err(Errno::Invalid),
            };
        }
        let now = self.now();
        let room = self.limits.bytes_max.saturating_sub(self.bytes);
        let node = self.node_mut(id)?;
        let Kind::File(content) = &mut node.kind else {
            return Err(not_a_file(node));
        };
        let old = content.len();
        let wanted = at
            .checked_add(bytes.len() as u64)
            .ok_or(Errno::FileTooLarge)?;
        let end = wanted.min(old.max(old.saturating_add(room)));
        let count = end.saturating_sub(at).min(bytes.len() as u64);
        let part = usize::try_from(count)
            .ok()
            .and_then(|count| bytes.get(..count));
        let written = match part {
            Some(part) if !part.is_empty() => content.write(at, part),
            _ => Err(Errno::NoSpace),
        };
        let grown = content.len().saturating_sub(old);
        if written.is_ok() {
            node.modified = now;
            node.changed = now;
        }
        self.bytes = self.bytes.saturating_add(grown);
        if end < wanted {
            self.hit.get_or_insert(FileHit::Disk);
        }
        let count = *written.as_ref().unwrap_or(&0);
        self.written_bytes = self.written_bytes.saturating_add(count as u64);
        written
    }

    /// Makes a file shorter, or longer by zeros.
    pub(crate) fn set_size(&mut self, id: NodeId, size: u64) -> Result<(), Errno> {
        let now = self.now();
        let old = match &self.node(id)?.kind {
            Kind::File(content) => content.len(),
            Kind::Directory(_) | Kind::Link(_) => return Err(Errno::Invalid),
        };
        self.charge(0, size.saturating_sub(old))?;
        let node = self.node_mut(id)?;
        node.modified = now;
        node.changed = now;
        let resized = match &mut node.kind {
            Kind::File(content) => content.set_len(size),
            Kind::Directory(_) | Kind::Link(_) => Ok(()),
        };
        if resized.is_err() {
            self.bytes = self.bytes.saturating_sub(size.saturating_sub(old));
        }
        self.bytes = self.bytes.saturating_sub(old.saturating_sub(size));
        resized
    }

    /// The entries of an open directory from a cookie on; 0 is the beginning.
    pub(crate) fn list(
        &self,
        id: NodeId,
        cookie: u64,
    ) -> Result<impl Iterator<Item = Entry> + '_, Errno> {
        let node = self.node(id)?;
        let Kind::Directory(directory) = &node.kind else {
            return Err(Errno::NotDirectory);
        };
        // At the top there is nothing above, as in a root directory.
        let parent = directory.parent.unwrap_or(id);
        let fixed = [(b".".as_slice(), id), (b"..", parent)];
        let fixed = fixed
            .into_iter()
            .zip(1_u64..)
            .map(|((name, id), next)| Entry {
                name: name.into(),
                kind: FileKind::Directory,
                inode: inode(id),
                next_cookie: next,
            });
        let own = directory.order.range(cookie.max(FIRST_COOKIE)..);
        let own = own.filter_map(|(cookie, name)| {
            let id = directory.get(name)?;
            Some(Entry {
                name: Arc::clone(name),
                kind: self.kind(id).ok()?,
                inode: inode(id),
                next_cookie: cookie.saturating_add(1),
            })
        });
        Ok(fixed
            .skip_while(move |entry| entry.next_cookie <= cookie)
            .chain(own))
    }

    fn now(&self) -> u64 {
        (self.clock)()
    }

    fn node(&self, id: NodeId) -> Result<&Node, Errno> {
        let slot = self.nodes.get(id.0 as usize);
        slot.and_then(Option::as_ref).ok_or(Errno::BadDescriptor)
    }

    fn node_mut(&mut self, id: NodeId) -> Result<&mut Node, Errno> {
        let slot = self.nodes.get_mut(id.0 as usize);
        slot.and_then(Option::as_mut).ok_or(Errno::BadDescriptor)
    }

    fn directory(&self, id: NodeId) -> Result<&Directory, Errno> {
        match &self.node(id)?.kind {
            Kind::Directory(directory) => Ok(directory),
            Kind::File(_) | Kind::Link(_) => Err(Errno::NotDirectory),
        }
    }

    fn directory_mut(&mut self, id: NodeId) -> Result<&mut Directory, Errno> {
        let now = self.now();
        let node = self.node_mut(id)?;
        match &mut node.kind {
            Kind::Directory(directory) => {
                node.modified = now;
                node.changed = now;
                Ok(directory)
            }
            Kind::File(_) | Kind::Link(_) => Err(Errno::NotDirectory),
        }
    }

    /// Counts new files and bytes, or none of them when they do not fit.
    fn charge(&mut self, files: u64, bytes: u64) -> Result<(), Errno> {
        let bytes_after = self.bytes.saturating_add(bytes);
        let files_after = self.files.saturating_add(files);
        let grows = bytes > 0 && bytes_after > self.limits.bytes_max;
        if grows || (files > 0 && files_after > self.limits.files_max) {
            self.hit.get_or_insert(FileHit::Disk);
            return Err(Errno::NoSpace);
        }
        self.bytes = bytes_after;
        self.files = files_after;
        Ok(())
    }

    /// Adds a node that has no name yet.
    fn insert(&mut self, kind: Kind) -> Result<NodeId, Errno> {
        let mut node = Node::new(kind, self.now());
        self.charge(1, node.size())?;
        node.links = 0;
        if let Some(free) = self.free.pop()
            && let Some(slot) = self.nodes.get_mut(free as usize)
        {
            *slot = Some(node);
            return Ok(NodeId(free));
        }
        let id = u32::try_from(self.nodes.len()).map_err(|_| Errno::NoSpace)?;
        self.nodes.push(Some(node));
        Ok(NodeId(id))
    }

    /// Frees what has no name and is not open.
    fn forget_unused(&mut self, id: NodeId) {
        let Some(slot) = self.nodes.get_mut(id.0 as usize) else {
            return;
        };
        let unused = |node: &mut Node| node.links == 0 && node.open == 0;
        if let Some(node) = slot.take_if(unused) {
            self.bytes = self.bytes.saturating_sub(node.size());
            self.files = self.files.saturating_sub(1);
            self.free.push(id.0);
        }
    }
}

const fn inode(id: NodeId) -> u64 {
    id.0 as u64 + 1
}

const fn not_a_file(node: &Node) -> Errno {
    match node.kind {
        Kind::Directory(_) => Errno::IsDirectory,
        Kind::File(_) | Kind::Link(_) => Errno::Invalid,
    }
}
