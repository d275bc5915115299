//! Writes a directory as a file system of the type erofs, as a machine mounts it.
//!
//! Owns the format, as far as it is used: inodes of the long form, everything uncompressed and in
//! blocks of its own, no optional features (Linux, Documentation/filesystems/erofs.rst and
//! fs/erofs/erofs_fs.h). It is written here, and not by a tool, so that no host lacks it and
//! nothing else has to read names and files that packages have chosen.
//!
//! ```text
//! block 0        nothing, and the superblock at byte 1024
//! from block 1   inodes, one after the other
//! then           entries of directories, targets of links, and files, each from a new block on
//! ```
//!
//! All files belong to root; what everybody may do with them is as it was.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use rustix::fs::OFlags;

use crate::tree::{Kind, Node, Tree, named};

const BLOCK_BYTES: u64 = 4096;
const BLOCK_BITS: u8 = 12;
const MAGIC: u32 = 0xE0F5_E1E2;
const SUPERBLOCK_AT: u64 = 1024;
const INODE_BYTES: u64 = 64;

/// Inodes are counted in units of so many bytes from the beginning.
const SLOT_BYTES: u64 = 32;

/// The short form is 0; bits 1 to 3 are 0 for data that lies in blocks of its own.
const LONG_FORM: u16 = 1;

/// An entry of a directory, without its name.
const ENTRY_BYTES: usize = 12;

/// Bytes of a file system with a directory, from its beginning to the end of its last block.
pub(crate) fn bytes(tree: &Tree) -> u64 {
    let content = tree
        .nodes
        .iter()
        .map(|node| blocks(content_bytes(tree, node)));
    let blocks = content.fold(content_block(tree), u64::saturating_add);
    blocks.saturating_mul(BLOCK_BYTES)
}

/// Writes a directory into an empty file, of which only what holds something takes room.
///
/// # Errors
/// When a file cannot be read, or was changed since the directory was looked at.
pub(crate) fn write(tree: &Tree, file: &File) -> io::Result<()> {
    let mut output = file;
    let mut inodes = Vec::with_capacity(tree.nodes.len() * 64);
    let mut block = content_block(tree);
    for (number, node) in tree.nodes.iter().enumerate() {
        let bytes = content_bytes(tree, node);
        inodes.extend(inode(tree, number, node, bytes, block)?);
        let at = block * BLOCK_BYTES;
        match &node.kind {
            Kind::Directory(within) => file.write_all_at(&entries(tree, number, within), at)?,
            Kind::Link(target) => file.write_all_at(target, at)?,
            Kind::File(_) => {
                output.seek(SeekFrom::Start(at))?;
                copy(node, bytes, output).map_err(|error| named(&node.path, error))?;
            }
        }
        block += blocks(bytes);
    }
    file.write_all_at(&inodes, BLOCK_BYTES)?;
    file.set_len(block * BLOCK_BYTES)?;
    file.write_all_at(&superblock(tree, block)?, SUPERBLOCK_AT)
}

/// The first block behind the inodes.
fn content_block(tree: &Tree) -> u64 {
    1 + blocks(tree.nodes.len() as u64 * INODE_BYTES)
}

const fn blocks(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK_BYTES)
}

fn content_bytes(tree: &Tree, node: &Node) -> u64 {
    match &node.kind {
        Kind::Directory(within) => entries(tree, 0, within).len() as u64,
        Kind::File(bytes) => *bytes,
        Kind::Link(target) => target.len() as u64,
    }
}

fn superblock(tree: &Tree, blocks: u64) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(128);
    out.extend(MAGIC.to_le_bytes());
    // No checksum, and no features that a reader may ignore.
    out.extend([0; 8]);
    out.extend([BLOCK_BITS, 0]);
    out.extend(narrow::<u16>(inode_number(0))?.to_le_bytes());
    out.extend((tree.nodes.len() as u64).to_le_bytes());
    // When it was built, which inodes of the long form say for themselves.
    out.extend([0; 12]);
    out.extend(narrow::<u32>(blocks)?.to_le_bytes());
    // Inodes are counted from block 0; no shared attributes, no identifier, no name, and no
    // features that a reader has to know.
    out.extend([0; 128 - 40]);
    Ok(out)
}

fn inode(tree: &Tree, number: usize, node: &Node, bytes: u64, block: u64) -> io::Result<Vec<u8>> {
    let links = match &node.kind {
        Kind::Directory(within) => {
            let is_directory = |(_, number): &&(Vec<u8>, usize)| entry_type(tree, *number) == 2;
            2 + within.iter().filter(is_directory).count()
        }
        Kind::File(_) | Kind::Link(_) => 1,
    };
    let mut out = Vec::with_capacity(64);
    out.extend(LONG_FORM.to_le_bytes());
    // No attributes.
    out.extend([0; 2]);
    out.extend(narrow::<u16>(node.mode.into())?.to_le_bytes());
    out.extend([0; 2]);
    out.extend(bytes.to_le_bytes());
    out.extend(narrow::<u32>(block)?.to_le_bytes());
    // The number that programs see, and root's ids.
    out.extend(narrow::<u32>(inode_number(number))?.to_le_bytes());
    out.extend([0; 8]);
    out.extend(node.modified.0.to_le_bytes());
    out.extend(node.modified.1.to_le_bytes());
    out.extend(narrow::<u32>(links as u64)?.to_le_bytes());
    out.extend([0; 16]);
    Ok(out)
}

const fn inode_number(node: usize) -> u64 {
    (BLOCK_BYTES + node as u64 * INODE_BYTES) / SLOT_BYTES
}

fn narrow<T: TryFrom<u64>>(number: u64) -> io::Result<T> {
    T::try_from(number).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

/// The type in an entry of a directory.
fn entry_type(tree: &Tree, number: usize) -> u8 {
    match tree.nodes.get(number).map(|node| &node.kind) {
        Some(Kind::File(_)) => 1,
        Some(Kind::Directory(_)) => 2,
        Some(Kind::Link(_)) => 7,
        None => 0,
    }
}

/// The entries of a directory: in each block first their fixed parts, then their names, in the
/// order of the names over all blocks.
fn entries(tree: &Tree, number: usize, within: &[(Vec<u8>, usize)]) -> Vec<u8> {
    let parent = tree.nodes.get(number).map_or(0, |node| node.parent);
    let own: [(&[u8], usize); 2] = [(b".", number), (b"..", parent)];
    let others = within
        .iter()
        .map(|(name, number)| (name.as_slice(), *number));
    let mut all: Vec<(&[u8], usize)> = own.into_iter().chain(others).collect();
    all.sort();
    let mut out = Vec::new();
    let mut rest = all.as_slice();
    while !rest.is_empty() {
        out.resize(out.len().next_multiple_of(BLOCK_BYTES as usize), 0);
        let mut bytes = 0;
        let fits = rest.iter().take_while(|(name, _)| {
            bytes += ENTRY_BYTES + name.len();
            bytes <= BLOCK_BYTES as usize
        });
        let (block, others) = rest.split_at(fits.count());
        let mut name_at = block.len() * ENTRY_BYTES;
        for (name, number) in block {
            out.extend(inode_number(*number).to_le_bytes());
            // Names end within the block.
            out.extend(u16::try_from(name_at).unwrap_or(u16::MAX).to_le_bytes());
            out.extend([entry_type(tree, *number), 0]);
            name_at += name.len();
        }
        block.iter().for_each(|(name, _)| out.extend(*name));
        rest = others;
    }
    out
}

fn copy(node: &Node, bytes: u64, mut output: &File) -> io::Result<()> {
    // Whatever took its place meanwhile, nothing is waited for and no link is followed.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let input = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(&node.path)?;
    let changed = || io::Error::other("it is being changed; try again once it no longer is");
    if !node.is(&input.metadata()?) {
        return Err(changed());
    }
    let copied = io::copy(&mut (&input).take(bytes), &mut output)?;
    output.flush()?;
    if copied == bytes && node.is(&input.metadata()?) {
        Ok(())
    } else {
        Err(changed())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::Path;

    use super::*;

    fn image(directory: &Path) -> File {
        let tree = Tree::read(directory).unwrap();
        let file = tempfile::tempfile().unwrap();
        write(&tree, &file).unwrap();
        assert_eq!(file.metadata().unwrap().len(), bytes(&tree));
        file
    }

    fn number<const N: usize>(file: &File, at: u64) -> u64 {
        let mut found = [0; 8];
        file.read_exact_at(&mut found[..N], at).unwrap();
        u64::from_le_bytes(found)
    }

    /// The entries of a directory: name, inode and type.
    fn names(content: &[u8]) -> Vec<(Vec<u8>, u64, u8)> {
        let mut found = Vec::new();
        for block in content.chunks(4096) {
            let word = |at: usize| usize::from(u16::from_le_bytes([block[at], block[at + 1]]));
            let count = word(8) / ENTRY_BYTES;
            for entry in 0..count {
                let at = entry * ENTRY_BYTES;
                let end = (entry + 1 < count).then(|| word(at + ENTRY_BYTES + 8));
                let name = &block[word(at + 8)..end.unwrap_or(block.len())];
                let name = name.split(|byte| *byte == 0).next().unwrap();
                let inode = u64::from_le_bytes(block[at..at + 8].try_into().unwrap());
                found.push((name.to_vec(), inode, block[at + 10]));
            }
        }
        found
    }

    /// What a reader of the format finds: paths with modes, times and contents.
    fn read(file: &File) -> BTreeMap<Vec<u8>, (u32, i64, Vec<u8>)> {
        assert_eq!(number::<4>(file, 1024), u64::from(MAGIC));
        assert_eq!(
            number::<4>(file, 1024 + 36) * BLOCK_BYTES,
            file.metadata().unwrap().len()
        );
        let mut found = BTreeMap::new();
        let mut waiting = vec![(Vec::new(), number::<2>(file, 1024 + 14))];
        while let Some((path, own)) = waiting.pop() {
            let at = own * SLOT_BYTES;
            assert_eq!(number::<2>(file, at), 1);
            let mode = number::<2>(file, at + 4) as u32;
            let mut content = vec![0; number::<8>(file, at + 8) as usize];
            let place = number::<4>(file, at + 16) * BLOCK_BYTES;
            file.read_exact_at(&mut content, place).unwrap();
            if mode & 0o170_000 == 0o040_000 {
                let within = names(&content);
                assert!(within.is_sorted(), "{within:?}");
                let directories = within.iter().filter(|(.., kind)| *kind == 2);
                assert_eq!(number::<4>(file, at + 44) as usize, directories.count());
                for (name, other, _) in within {
                    match name.as_slice() {
                        b"." => assert_eq!(other, own),
                        b".." => {}
                        name => waiting.push(([&path, &b"/"[..], name].concat(), other)),
                    }
                }
                content.clear();
            }
            let modified = number::<8>(file, at + 32).cast_signed();
            found.insert(path, (mode, modified, content));
        }
        found
    }

    fn directory() -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        fs::create_dir_all(path("package/deeper")).unwrap();
        fs::create_dir(path("many")).unwrap();
        fs::write(path("!before.py"), "x = 1\n").unwrap();
        fs::write(path("empty"), "").unwrap();
        fs::write(path("package/block"), vec![b'b'; 4096]).unwrap();
        fs::write(path("package/deeper/large"), vec![b'l'; 3 << 20]).unwrap();
        fs::set_permissions(path("package/block"), fs::Permissions::from_mode(0o750)).unwrap();
        symlink("../package", path("many/link")).unwrap();
        for number in 0..300 {
            let name = format!("many/{number}-{}", "n".repeat(number % 250));
            fs::write(path(&name), number.to_string()).unwrap();
        }
        let file = File::open(path("empty")).unwrap();
        let then = std::time::UNIX_EPOCH + std::time::Duration::from_secs(315_532_800);
        file.set_modified(then).unwrap();
        place
    }

    #[test]
    fn a_reader_finds_what_was_written() {
        let place = directory();
        let found = read(&image(place.path()));
        let tree = Tree::read(place.path()).unwrap();
        assert_eq!(found.len(), tree.nodes.len());
        for node in &tree.nodes {
            let path = node.path.strip_prefix(place.path()).unwrap();
            let path = path.to_str().unwrap();
            let path = if path.is_empty() {
                String::new()
            } else {
                format!("/{path}")
            };
            let (mode, modified, content) = &found[path.as_bytes()];
            let expected = fs::symlink_metadata(&node.path).unwrap();
            assert_eq!(
                (*mode, *modified),
                (expected.mode(), expected.mtime()),
                "{path}"
            );
            let expected = match &node.kind {
                Kind::Directory(_) => Vec::new(),
                Kind::File(_) => fs::read(&node.path).unwrap(),
                Kind::Link(target) => target.clone(),
            };
            assert!(*content == expected, "{path}");
        }
    }

    #[test]
    fn the_tool_for_this_format_finds_nothing_wrong() {
        let place = directory();
        let out = tempfile::tempdir().unwrap();
        let path = out.path().join("image");
        let tree = Tree::read(place.path()).unwrap();
        write(&tree, &File::create(&path).unwrap()).unwrap();
        let checked = std::process::Command::new("fsck.erofs")
            .arg(format!("--extract={}", out.path().join("out").display()))
            .arg(&path)
            .output();
        let Ok(checked) = checked else {
            println!("skipped: fsck.erofs is not installed");
            return;
        };
        assert!(checked.status.success(), "{checked:?}");
        let compared = std::process::Command::new("diff")
            .args(["-r", "--no-dereference"])
            .args([place.path(), &out.path().join("out")])
            .output()
            .unwrap();
        assert!(compared.status.success(), "{compared:?}");
    }

    #[test]
    fn a_file_that_changes_meanwhile_is_not_written() {
        let place = directory();
        let tree = Tree::read(place.path()).unwrap();
        fs::write(place.path().join("empty"), "no longer").unwrap();
        let failed = write(&tree, &tempfile::tempfile().unwrap()).unwrap_err();
        let text = failed.to_string();
        assert!(
            text.contains("empty") && text.contains("try again"),
            "{text}"
        );
    }
}
