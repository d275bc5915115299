//! A directory as it is: everything in it, in an order that does not depend on the host.
//!
//! Owns the look at it and what tells two looks apart. Nothing of any file is read, and no link is
//! followed.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use blake3::{Hash, Hasher};

/// More are not taken in; packages of one layer have up to 50,000.
const NODES_MAX: usize = 200_000;

/// A directory and everything below it. The first node is the directory itself; what is in a
/// directory comes after it.
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
}

/// A file, a directory or a link.
pub(crate) struct Node {
    pub(crate) path: PathBuf,
    /// The node of the directory that it is in; its own for the first.
    pub(crate) parent: usize,
    pub(crate) kind: Kind,
    /// Its type and permissions, as in `st_mode` (inode(7)).
    pub(crate) mode: u32,
    /// When it was modified: seconds since 1970, and nanoseconds.
    pub(crate) modified: (i64, u32),
    /// Tells it from what took its place, or what it was changed into.
    identity: FileIdentity,
}

/// What a node is.
pub(crate) enum Kind {
    /// The nodes in it, by their names, in the order of the names' bytes.
    Directory(Vec<(Vec<u8>, usize)>),
    /// A plain file of so many bytes.
    File(u64),
    /// A symbolic link and where it leads.
    Link(Vec<u8>),
}

/// The device, the number, the length, and when it was last changed in any way.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileIdentity(u64, u64, u64, (i64, i64));

impl FileIdentity {
    fn of(found: &Metadata) -> Self {
        let changed = (found.ctime(), found.ctime_nsec());
        Self(found.dev(), found.ino(), found.len(), changed)
    }
}

impl Tree {
    /// Looks at a directory. Sockets, pipes and devices are left out: there is nothing at their
    /// other end for a program.
    ///
    /// # Errors
    /// When a part of it cannot be read, or there is too much.
    pub(crate) fn read(directory: &Path) -> io::Result<Self> {
        let found = fs::metadata(directory)?;
        if !found.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let mut nodes = vec![Node::new(directory.to_owned(), 0, &found)?];
        let mut next = 0;
        while let Some(node) = nodes.get(next) {
            if let Kind::Directory(_) = node.kind {
                let path = node.path.clone();
                let within =
                    read_directory(&path, next, &mut nodes).map_err(|e| named(&path, e))?;
                if let Some(node) = nodes.get_mut(next) {
                    node.kind = Kind::Directory(within);
                }
            }
            next += 1;
        }
        Ok(Self { nodes })
    }

    /// The same for two looks between which nothing was changed.
    pub(crate) fn fingerprint(&self) -> Hash {
        let mut hasher = Hasher::new();
        let mut add = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        for node in &self.nodes {
            add(node.path.file_name().unwrap_or_default().as_bytes());
            let FileIdentity(device, number, bytes, changed) = node.identity;
            let numbers = [node.parent as u64, device, number, bytes, node.mode.into()];
            numbers.iter().for_each(|it| add(&it.to_le_bytes()));
            let times = [
                changed.0,
                changed.1,
                node.modified.0,
                node.modified.1.into(),
            ];
            times.iter().for_each(|it| add(&it.to_le_bytes()));
            if let Kind::Link(target) = &node.kind {
                add(target);
            }
        }
        hasher.finalize()
    }
}

impl Node {
    fn new(path: PathBuf, parent: usize, found: &Metadata) -> io::Result<Self> {
        let kind = if found.is_dir() {
            Kind::Directory(Vec::new())
        } else if found.is_symlink() {
            let target = fs::read_link(&path).map_err(|error| named(&path, error))?;
            Kind::Link(target.into_os_string().into_vec())
        } else if found.is_file() {
            Kind::File(found.len())
        } else {
            return Err(named(&path, io::ErrorKind::InvalidInput.into()));
        };
        Ok(Self {
            path,
            parent,
            kind,
            mode: found.mode(),
            modified: (
                found.mtime(),
                u32::try_from(found.mtime_nsec()).unwrap_or(0),
            ),
            identity: FileIdentity::of(found),
        })
    }

    /// Whether a file that was opened is the one that was looked at.
    pub(crate) fn is(&self, found: &Metadata) -> bool {
        self.identity == FileIdentity::of(found)
    }
}

/// Adds what is in a directory, and answers with the names.
fn read_directory(
    path: &Path,
    parent: usize,
    nodes: &mut Vec<Node>,
) -> io::Result<Vec<(Vec<u8>, usize)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let found = entry.metadata()?;
        if found.is_dir() || found.is_file() || found.is_symlink() {
            entries.push((entry.file_name().into_vec(), found));
        }
        if nodes.len() + entries.len() > NODES_MAX {
            let text = format!("there are more than {NODES_MAX} files and directories in it");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
    }
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut within = Vec::with_capacity(entries.len());
    for (name, found) in entries {
        let place = path.join(std::ffi::OsStr::from_bytes(&name));
        within.push((name, nodes.len()));
        nodes.push(Node::new(place, parent, &found)?);
    }
    Ok(within)
}

/// The same error, which says where.
pub(crate) fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn any_change_is_another_fingerprint() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        fs::create_dir(path("below")).unwrap();
        fs::write(path("below/one.py"), "1").unwrap();
        let look = || Tree::read(place.path()).unwrap().fingerprint();
        let mut seen = vec![look()];
        assert_eq!(look(), seen[0]);
        let changes: [&dyn Fn() -> io::Result<()>; 4] = [
            &|| fs::write(path("below/one.py"), "2"),
            &|| fs::rename(path("below/one.py"), path("below/two.py")),
            &|| symlink("two.py", path("below/one.py")),
            &|| fs::remove_file(path("below/two.py")),
        ];
        for change in changes {
            // Times of files are as exact as the kernel's tick.
            std::thread::sleep(std::time::Duration::from_millis(20));
            change().unwrap();
            let found = look();
            assert!(!seen.contains(&found), "{} changes", seen.len());
            seen.push(found);
        }
    }

    #[test]
    fn what_is_no_file_is_left_out() {
        let place = tempfile::tempdir().unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(place.path().join("socket")).unwrap();
        fs::write(place.path().join("file"), "").unwrap();
        assert_eq!(Tree::read(place.path()).unwrap().nodes.len(), 2);
    }
}
