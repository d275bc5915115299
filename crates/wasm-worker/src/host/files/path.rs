//! Finds what a path names, beneath the directory that it starts from.
//!
//! Owns what WASI says about paths: `..` never leads above the start, an absolute path or link
//! leads out and is refused, a slash at the end asks for a directory.

use super::{FileKind, Files, Kind, NodeId, TEMPORARY, WORK};
use crate::host::errno::Errno;

/// The longest path and the longest target of a link, in bytes.
pub(crate) const PATH_BYTES_MAX: usize = 4096;

/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// How many symbolic links lie on one path at most.
const LINKS_MAX: u32 = 40;

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The directory that has or would have the last name.
    pub(super) parent: NodeId,
    /// The last name; `None` when the path ends in `.` or `..`.
    pub(super) name: Option<Vec<u8>>,
    /// What is there.
    pub(super) node: Option<NodeId>,
    /// Whether the path ends in a slash, which only a directory can have.
    pub(super) slash: bool,
}

impl Place {
    pub(super) fn existing(&self) -> Result<NodeId, Errno> {
        self.node.ok_or(Errno::NotFound)
    }
}

/// The way that is left to go.
struct Walk {
    /// From the start down to the current directory, without the start.
    above: Vec<NodeId>,
    current: NodeId,
    rest: Vec<u8>,
    at: usize,
    links: u32,
}

impl Walk {
    /// The next name, whether it is the last, and whether a slash follows it.
    fn next(&mut self) -> Option<(Vec<u8>, bool, bool)> {
        let rest = self.rest.get(self.at..).unwrap_or_default();
        let start = rest.iter().position(|byte| *byte != b'/')?;
        let rest = rest.get(start..).unwrap_or_default();
        let end = rest.iter().position(|byte| *byte == b'/');
        let length = end.unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or_default().to_vec();
        let behind = rest.get(length..).unwrap_or_default();
        let is_last = behind.iter().all(|byte| *byte == b'/');
        self.at = self.at.saturating_add(start).saturating_add(length);
        Some((name, is_last, end.is_some()))
    }

    fn down(&mut self, to: NodeId) {
        self.above.push(self.current);
        self.current = to;
    }

    fn up(&mut self) -> Result<(), Errno> {
        self.current = self.above.pop().ok_or(Errno::NotPermitted)?;
        Ok(())
    }

    /// Goes on along the target of a link instead of the link.
    fn follow(&mut self, target: &[u8]) -> Result<(), Errno> {
        self.links = self.links.saturating_add(1);
        if self.links > LINKS_MAX {
            return Err(Errno::Loop);
        }
        if target.first() == Some(&b'/') {
            return Err(Errno::NotPermitted);
        }
        let behind = self.rest.get(self.at..).unwrap_or_default();
        self.rest = [target, behind].concat();
        self.at = 0;
        Ok(())
    }
}

impl Files {
    /// Finds a path. A symbolic link at its end is followed when `follow` says so, or when a slash
    /// follows it.
    pub(super) fn find(&self, start: NodeId, path: &[u8], follow: bool) -> Result<Place, Errno> {
        check(path)?;
        if path.first() == Some(&b'/') {
            return Err(Errno::NotPermitted);
        }
        let mut walk = Walk {
            above: Vec::new(),
            current: start,
            rest: path.to_vec(),
            at: 0,
            links: 0,
        };
        self.directory(start)?;
        let mut last_slash = false;
        while let Some((name, is_last, slash)) = walk.next() {
            last_slash = slash;
            match name.as_slice() {
                b"." => continue,
                b".." => {
                    walk.up()?;
                    continue;
                }
                _ if name.len() > NAME_BYTES_MAX => return Err(Errno::NameTooLong),
                _ => {}
            }
            let Some(found) = self.directory(walk.current)?.get(&name) else {
                if !is_last {
                    return Err(Errno::NotFound);
                }
                return Ok(Place {
                    parent: walk.current,
                    name: Some(name),
                    node: None,
                    slash,
                });
            };
            match &self.node(found)?.kind {
                Kind::Link(target) if !is_last || follow || slash => walk.follow(target)?,
                Kind::Directory(_) if !is_last => walk.down(found),
                kind => {
                    if (!is_last || slash) && !matches!(kind, Kind::Directory(_)) {
                        return Err(Errno::NotDirectory);
                    }
                    return Ok(Place {
                        parent: walk.current,
                        name: Some(name),
                        node: Some(found),
                        slash,
                    });
                }
            }
        }
        Ok(Place {
            parent: walk.current,
            name: None,
            node: Some(walk.current),
            slash: last_slash,
        })
    }

    /// The path of a directory as rules see it: below `/work` or `/tmp`. `None` for one that was
    /// removed.
    pub(crate) fn path_of(&self, directory: NodeId) -> Option<Vec<u8>> {
        let mut parts: Vec<&[u8]> = Vec::new();
        let mut current = directory;
        let top = loop {
            if current == WORK {
                break b"/work".as_slice();
            } else if current == TEMPORARY {
                break b"/tmp".as_slice();
            }
            let parent = self.directory(current).ok()?.parent?;
            let siblings = &self.directory(parent).ok()?.names;
            let (name, _) = siblings.iter().find(|(_, (id, _))| *id == current)?;
            parts.push(name);
            current = parent;
        };
        let mut path = top.to_vec();
        for part in parts.into_iter().rev() {
            path.push(b'/');
            path.extend_from_slice(part);
        }
        Some(path)
    }

    /// The path of what a path really leads to, as rules see it: without links.
    pub(crate) fn real_path(&self, start: NodeId, path: &[u8], follow: bool) -> Option<Vec<u8>> {
        let place = self.find(start, path, follow).ok()?;
        let mut real = self.path_of(place.parent)?;
        if let Some(name) = place.name {
            real.push(b'/');
            real.extend_from_slice(&name);
        }
        Some(real)
    }

    /// Whether a directory is another one or lies somewhere below it.
    pub(super) fn is_within(&self, directory: NodeId, other: NodeId) -> bool {
        let mut current = Some(directory);
        while let Some(id) = current {
            if id == other {
                return true;
            }
            current = self.directory(id).ok().and_then(|found| found.parent);
        }
        false
    }

    /// The kind of what a place has.
    pub(super) fn kind_at(&self, place: &Place) -> Result<Option<FileKind>, Errno> {
        place.node.map(|id| self.kind(id)).transpose()
    }
}

/// What no path can be, whatever it leads to.
pub(super) fn check(path: &[u8]) -> Result<(), Errno> {
    if path.is_empty() {
        return Err(Errno::NotFound);
    }
    if path.len() > PATH_BYTES_MAX {
        return Err(Errno::NameTooLong);
    }
    if path.contains(&0) {
        return Err(Errno::Invalid);
    }
    Ok(())
}
