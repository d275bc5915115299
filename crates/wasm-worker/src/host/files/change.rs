//! Opens, makes, renames and removes by path.

use super::content::Content;
use super::path::{self, Place};
use super::{Directory, FileKind, Files, Kind, NodeId, OpenOptions, Stat};
use crate::host::errno::Errno;

impl Files {
    /// Opens what a path names, or makes a file there. What is open stays until
    /// [`Files::close`], also when its name is removed.
    pub(crate) fn open(
        &mut self,
        start: NodeId,
        path: &[u8],
        options: OpenOptions,
    ) -> Result<NodeId, Errno> {
        let makes = options.create || options.exclusive || options.truncate;
        if options.directory && makes {
            return Err(Errno::Invalid);
        }
        if options.create && path.ends_with(b"/") {
            // What opening makes is a file.
            let place = self.find(start, trimmed(path), false)?;
            if place.name.is_some() {
                return Err(Errno::IsDirectory);
            }
        }
        let exclusive = options.create && options.exclusive;
        let place = self.find(start, path, options.follow && !exclusive)?;
        let Some(node) = place.node else {
            return self.open_new(&place, options);
        };
        if exclusive {
            return Err(Errno::Exists);
        }
        match self.kind(node)? {
            FileKind::Link if options.directory => return Err(Errno::NotDirectory),
            FileKind::Link => return Err(Errno::Loop),
            FileKind::Directory if options.write || options.create || options.truncate => {
                return Err(Errno::IsDirectory);
            }
            FileKind::File if options.directory => return Err(Errno::NotDirectory),
            FileKind::Directory | FileKind::File => {}
        }
        self.hold(node)?;
        if options.truncate
            && let Err(error) = self.set_size(node, 0)
        {
            self.close(node);
            return Err(error);
        }
        Ok(node)
    }

    fn open_new(&mut self, place: &Place, options: OpenOptions) -> Result<NodeId, Errno> {
        if !options.create {
            return Err(Errno::NotFound);
        }
        if place.slash {
            // The slash is in the target of a link.
            return Err(Errno::IsDirectory);
        }
        let node = self.make(place, Kind::File(Content::default()))?;
        let held = self.hold(node);
        if held.is_err() {
            self.unname(place, node)?;
        }
        held.map(|()| node)
    }

    /// The properties of what a path names.
    pub(crate) fn stat_at(&self, start: NodeId, path: &[u8], follow: bool) -> Result<Stat, Errno> {
        let node = self.find(start, path, follow)?.existing()?;
        self.stat(node)
    }

    /// Sets the times of what a path names; `None` leaves one as it is.
    pub(crate) fn set_times_at(
        &mut self,
        start: NodeId,
        path: &[u8],
        follow: bool,
        times: (Option<u64>, Option<u64>),
    ) -> Result<(), Errno> {
        let node = self.find(start, path, follow)?.existing()?;
        self.set_times(node, times.0, times.1)
    }

    /// Makes an empty directory.
    pub(crate) fn make_directory(&mut self, start: NodeId, path: &[u8]) -> Result<(), Errno> {
        // A link at the end is in the way, slash or not.
        let place = self.find(start, trimmed(path), false)?;
        if place.node.is_some() {
            return Err(Errno::Exists);
        }
        let directory = Directory {
            parent: Some(place.parent),
            ..Directory::default()
        };
        let node = self.make(&place, Kind::Directory(directory))?;
        self.count_link(place.parent, 1);
        self.count_link(node, 1);
        Ok(())
    }

    /// Makes a symbolic link. Nothing needs to be at its target; an absolute one would lead out.
    pub(crate) fn make_link(
        &mut self,
        target: &[u8],
        start: NodeId,
        path: &[u8],
    ) -> Result<(), Errno> {
        path::check(target)?;
        if target.first() == Some(&b'/') {
            return Err(Errno::NotPermitted);
        }
        let place = self.find_new(start, path)?;
        self.make(&place, Kind::Link(target.into())).map(|_| ())
    }

    /// The target of a symbolic link.
    pub(crate) fn read_link(&self, start: NodeId, path: &[u8]) -> Result<&[u8], Errno> {
        let node = self.find(start, path, false)?.existing()?;
        match &self.node(node)?.kind {
            Kind::Link(target) => Ok(target),
            Kind::File(_) | Kind::Directory(_) => Err(Errno::Invalid),
        }
    }

    /// Gives a file a second name.
    pub(crate) fn hard_link(
        &mut self,
        old: (NodeId, &[u8]),
        follow: bool,
        new: (NodeId, &[u8]),
    ) -> Result<(), Errno> {
        let node = self.find(old.0, old.1, follow)?.existing()?;
        let place = self.find_new(new.0, new.1)?;
        if self.kind(node)? == FileKind::Directory {
            return Err(Errno::NotPermitted);
        }
        self.name(&place, node)
    }

    /// Removes the name of a file or link.
    pub(crate) fn remove_file(&mut self, start: NodeId, path: &[u8]) -> Result<(), Errno> {
        let place = self.find(start, trimmed(path), false)?;
        let node = place.existing()?;
        if self.kind(node)? == FileKind::Directory {
            return Err(Errno::IsDirectory);
        }
        if path.ends_with(b"/") {
            return Err(Errno::NotDirectory);
        }
        self.unname(&place, node)
    }

    /// Removes an empty directory.
    pub(crate) fn remove_directory(&mut self, start: NodeId, path: &[u8]) -> Result<(), Errno> {
        let place = self.find(start, trimmed(path), false)?;
        let node = place.existing()?;
        let directory = self.directory(node)?;
        if place.name.is_none() {
            let is_above = trimmed(path).ends_with(b"..");
            return Err(if is_above {
                Errno::NotEmpty
            } else {
                Errno::Invalid
            });
        }
        if !directory.names.is_empty() {
            return Err(Errno::NotEmpty);
        }
        self.unname(&place, node)
    }

    /// Renames, over what is there already where that can be replaced.
    pub(crate) fn rename(
        &mut self,
        old: (NodeId, &[u8]),
        new: (NodeId, &[u8]),
    ) -> Result<(), Errno> {
        let from = self.find(old.0, trimmed(old.1), false)?;
        let to = self.find(new.0, trimmed(new.1), false)?;
        if from.name.is_none() || to.name.is_none() {
            return Err(Errno::Busy);
        }
        let node = from.existing()?;
        let kind = self.kind(node)?;
        let slash = old.1.ends_with(b"/") || new.1.ends_with(b"/");
        if slash && kind != FileKind::Directory {
            return Err(Errno::NotDirectory);
        }
        if to.node == Some(node) {
            // Two names of one file: nothing to do.
            return Ok(());
        }
        if kind == FileKind::Directory && self.is_within(to.parent, node) {
            return Err(Errno::Invalid);
        }
        if to
            .node
            .is_some_and(|replaced| self.is_within(from.parent, replaced))
        {
            return Err(Errno::NotEmpty);
        }
        self.check_replaced(kind, &to)?;
        if let Some(replaced) = to.node {
            self.unname(&to, replaced)?;
        }
        // The new name first, so that the node is never without one.
        self.name(&to, node)?;
        self.unname_kept(&from, node)?;
        if kind == FileKind::Directory {
            self.directory_mut(node)?.parent = Some(to.parent);
            self.count_link(from.parent, -1);
            self.count_link(to.parent, 1);
        }
        Ok(())
    }

    /// A place for something new that is not a directory.
    fn find_new(&self, start: NodeId, path: &[u8]) -> Result<Place, Errno> {
        // A link at the end is in the way, slash or not.
        let place = self.find(start, trimmed(path), false)?;
        match place.node {
            Some(_) => Err(Errno::Exists),
            None if path.ends_with(b"/") => Err(Errno::NotFound),
            None => Ok(place),
        }
    }

    fn check_replaced(&self, kind: FileKind, to: &Place) -> Result<(), Errno> {
        match (kind, self.kind_at(to)?) {
            (_, None) => self.check_alive(to.parent),
            (FileKind::Directory, Some(FileKind::Directory)) => {
                let full = to.node.map(|id| self.directory(id)).transpose()?;
                if full.is_some_and(|directory| !directory.names.is_empty()) {
                    return Err(Errno::NotEmpty);
                }
                Ok(())
            }
            (FileKind::Directory, Some(_)) => Err(Errno::NotDirectory),
            (_, Some(FileKind::Directory)) => Err(Errno::IsDirectory),
            (_, Some(_)) => Ok(()),
        }
    }

    /// Nothing can be made in a directory that was removed.
    fn check_alive(&self, directory: NodeId) -> Result<(), Errno> {
        if self.node(directory)?.links == 0 {
            return Err(Errno::NotFound);
        }
        Ok(())
    }

    fn make(&mut self, place: &Place, kind: Kind) -> Result<NodeId, Errno> {
        self.check_alive(place.parent)?;
        let node = self.insert(kind)?;
        self.name(place, node)?;
        Ok(node)
    }

    fn name(&mut self, place: &Place, node: NodeId) -> Result<(), Errno> {
        self.check_alive(place.parent)?;
        let name = place.name.as_deref().ok_or(Errno::Exists)?;
        self.directory_mut(place.parent)?.insert(name, node);
        self.count_link(node, 1);
        Ok(())
    }

    /// Takes a name away, and what had it when that was all that held it.
    fn unname(&mut self, place: &Place, node: NodeId) -> Result<(), Errno> {
        self.unname_kept(place, node)?;
        if let Kind::Directory(directory) = &mut self.node_mut(node)?.kind {
            directory.parent = None;
            self.count_link(node, -1);
            self.count_link(place.parent, -1);
        }
        self.forget_unused(node);
        Ok(())
    }

    fn unname_kept(&mut self, place: &Place, node: NodeId) -> Result<(), Errno> {
        let name = place.name.as_deref().ok_or(Errno::Invalid)?;
        self.directory_mut(place.parent)?.remove(name);
        self.count_link(node, -1);
        Ok(())
    }

    /// A directory has a link for its name, one for its own `.` and one for each `..` inside.
    fn count_link(&mut self, id: NodeId, by: i32) {
        let now = self.now();
        if let Ok(node) = self.node_mut(id) {
            node.links = node.links.saturating_add_signed(by);
            node.changed = now;
        }
    }
}

/// Without the slashes at its end, unless it is nothing else.
fn trimmed(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte != b'/');
    end.and_then(|end| path.get(..=end)).unwrap_or(path)
}
