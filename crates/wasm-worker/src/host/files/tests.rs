//! The tree held to what a real file system does, step by step, and its budget.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use atoll_types::calls::ErrorName;
use proptest::prelude::*;
use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use super::*;

const PLENTY: FileLimits = FileLimits {
    bytes_max: 1 << 30,
    files_max: 10_000,
    open_max: 1000,
};

fn empty() -> Files {
    limited(PLENTY)
}

fn limited(limits: FileLimits) -> Files {
    Files::new(limits, || 1_000)
}

const CREATE: OpenOptions = OpenOptions {
    follow: true,
    create: true,
    exclusive: false,
    truncate: false,
    directory: false,
    write: true,
};

const READ: OpenOptions = OpenOptions {
    create: false,
    write: false,
    ..CREATE
};

/// Makes a file with this content.
fn put(files: &mut Files, path: &str, content: &[u8]) -> Result<(), Errno> {
    let node = files.open(WORK, path.as_bytes(), CREATE)?;
    let written = files.write(node, 0, content);
    files.close(node);
    written.map(|_| ())
}

fn get(files: &mut Files, path: &str) -> Result<Vec<u8>, Errno> {
    let node = files.open(WORK, path.as_bytes(), READ)?;
    let mut content = vec![0; 10_000];
    let read = files.read(node, 0, &mut content);
    files.close(node);
    content.truncate(read?);
    Ok(content)
}

fn names(files: &Files, directory: NodeId) -> Vec<String> {
    let entries = files.list(directory, 0).unwrap();
    let text = |entry: Entry| String::from_utf8_lossy(&entry.name).into_owned();
    entries.map(text).collect()
}

#[derive(Debug, Clone)]
enum Step {
    Open(String, OpenOptions),
    Write(String, u64, u8),
    SetSize(String, u64),
    MakeDirectory(String),
    RemoveDirectory(String),
    RemoveFile(String),
    Rename(String, String),
    HardLink(String, bool, String),
    MakeLink(String, String),
    ReadLink(String),
    Stat(String, bool),
}

fn path() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        8 => prop::sample::select(vec!["a", "b", "c"]),
        1 => prop::sample::select(vec![".", ".."]),
    ];
    let parts = prop::collection::vec(part, 1..4);
    (parts, prop::bool::weighted(0.1)).prop_map(|(parts, slash)| {
        let end = if slash { "/" } else { "" };
        parts.join("/") + end
    })
}

fn options() -> impl Strategy<Value = OpenOptions> {
    any::<[bool; 6]>().prop_map(|[follow, create, exclusive, truncate, directory, write]| {
        OpenOptions {
            follow,
            create,
            exclusive: create && exclusive,
            // A system leaves open what emptying without writing does, and WASI has no directories
            // that are made by opening.
            truncate: truncate && write,
            directory: directory && !create && !(truncate && write),
            write,
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (path(), options()).prop_map(|(path, options)| Step::Open(path, options)),
        3 => (path(), 0..50_u64, any::<u8>()).prop_map(|(p, at, byte)| Step::Write(p, at, byte)),
        1 => (path(), 0..60_u64).prop_map(|(path, size)| Step::SetSize(path, size)),
        3 => path().prop_map(Step::MakeDirectory),
        1 => path().prop_map(Step::RemoveDirectory),
        1 => path().prop_map(Step::RemoveFile),
        3 => (path(), path()).prop_map(|(old, new)| Step::Rename(old, new)),
        2 => (path(), any::<bool>(), path()).prop_map(|(old, f, new)| Step::HardLink(old, f, new)),
        2 => (path(), path()).prop_map(|(target, path)| {
            // A system is of several minds about opening a link to what ends in a slash.
            Step::MakeLink(target.trim_end_matches('/').to_owned(), path)
        }),
        1 => path().prop_map(Step::ReadLink),
        2 => (path(), any::<bool>()).prop_map(|(path, follow)| Step::Stat(path, follow)),
    ]
}

/// What a step says, apart from whether it fails.
type Said = Result<Vec<u8>, Errno>;

fn in_tree(files: &mut Files, step: &Step) -> Said {
    let nothing = |()| Vec::new();
    match step {
        Step::Open(path, options) => {
            let node = files.open(WORK, path.as_bytes(), *options)?;
            files.close(node);
            Ok(Vec::new())
        }
        Step::Write(path, at, byte) => {
            let node = files.open(WORK, path.as_bytes(), CREATE)?;
            files.write(node, *at, &[*byte; 3]).unwrap();
            files.close(node);
            Ok(Vec::new())
        }
        Step::SetSize(path, size) => {
            let options = OpenOptions {
                write: true,
                ..READ
            };
            let node = files.open(WORK, path.as_bytes(), options)?;
            files.set_size(node, *size).unwrap();
            files.close(node);
            Ok(Vec::new())
        }
        Step::MakeDirectory(path) => files.make_directory(WORK, path.as_bytes()).map(nothing),
        Step::RemoveDirectory(path) => files.remove_directory(WORK, path.as_bytes()).map(nothing),
        Step::RemoveFile(path) => files.remove_file(WORK, path.as_bytes()).map(nothing),
        Step::Rename(old, new) => {
            let old = (WORK, old.as_bytes());
            files.rename(old, (WORK, new.as_bytes())).map(nothing)
        }
        Step::HardLink(old, follow, new) => {
            let old = (WORK, old.as_bytes());
            files
                .hard_link(old, *follow, (WORK, new.as_bytes()))
                .map(nothing)
        }
        Step::MakeLink(target, path) => files
            .make_link(target.as_bytes(), WORK, path.as_bytes())
            .map(nothing),
        Step::ReadLink(path) => files.read_link(WORK, path.as_bytes()).map(<[u8]>::to_vec),
        Step::Stat(path, follow) => {
            let stat = files.stat_at(WORK, path.as_bytes(), *follow)?;
            Ok(described(stat.kind, stat.size, stat.links))
        }
    }
}

fn described(kind: FileKind, size: u64, links: u64) -> Vec<u8> {
    let (size, links) = match kind {
        // File systems differ in what they say about directories.
        FileKind::Directory => (0, 0),
        FileKind::File | FileKind::Link => (size, links),
    };
    format!("{kind:?} {size} {links}").into_bytes()
}

fn on_disk(root: &Path, step: &Step) -> Said {
    let at = |path: &str| {
        root.as_os_str()
            .as_bytes()
            .to_vec()
            .into_iter()
            .chain([b'/'])
            .chain(path.bytes())
            .collect::<Vec<u8>>()
    };
    let nothing = |()| Vec::new();
    let done = match step {
        Step::Open(path, options) => open_on_disk(&at(path), *options).map(|_| Vec::new()),
        Step::Write(path, offset, byte) => open_on_disk(&at(path), CREATE).map(|file| {
            rustix::io::pwrite(file, &[*byte; 3], *offset).unwrap();
            Vec::new()
        }),
        Step::SetSize(path, size) => {
            let options = OpenOptions {
                write: true,
                ..READ
            };
            open_on_disk(&at(path), options).map(|file| {
                rustix::fs::ftruncate(file, *size).unwrap();
                Vec::new()
            })
        }
        Step::MakeDirectory(path) => {
            rustix::fs::mkdirat(CWD, at(path), Mode::from(0o755)).map(nothing)
        }
        Step::RemoveDirectory(path) => {
            rustix::fs::unlinkat(CWD, at(path), AtFlags::REMOVEDIR).map(nothing)
        }
        Step::RemoveFile(path) => {
            rustix::fs::unlinkat(CWD, at(path), AtFlags::empty()).map(nothing)
        }
        Step::Rename(old, new) => rustix::fs::renameat(CWD, at(old), CWD, at(new)).map(nothing),
        Step::HardLink(old, follow, new) => {
            let flags = if *follow {
                AtFlags::SYMLINK_FOLLOW
            } else {
                AtFlags::empty()
            };
            rustix::fs::linkat(CWD, at(old), CWD, at(new), flags).map(nothing)
        }
        Step::MakeLink(target, path) => {
            rustix::fs::symlinkat(target.as_bytes(), CWD, at(path)).map(nothing)
        }
        Step::ReadLink(path) => {
            rustix::fs::readlinkat(CWD, at(path), Vec::new()).map(|found| found.into_bytes())
        }
        Step::Stat(path, follow) => {
            let flags = if *follow {
                AtFlags::empty()
            } else {
                AtFlags::SYMLINK_NOFOLLOW
            };
            rustix::fs::statat(CWD, at(path), flags).map(|stat| {
                let kind = match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
                    rustix::fs::FileType::Directory => FileKind::Directory,
                    rustix::fs::FileType::Symlink => FileKind::Link,
                    _ => FileKind::File,
                };
                described(kind, u64::try_from(stat.st_size).unwrap(), stat.st_nlink)
            })
        }
    };
    done.map_err(|error| {
        let number = u16::try_from(error.raw_os_error()).unwrap();
        let known = ErrorName::ALL
            .into_iter()
            .find(|name| name.number() == number);
        known.unwrap_or_else(|| panic!("{error}")).into()
    })
}

fn open_on_disk(path: &[u8], options: OpenOptions) -> rustix::io::Result<rustix::fd::OwnedFd> {
    let mut flags = if options.write {
        OFlags::RDWR
    } else {
        OFlags::RDONLY
    };
    flags.set(OFlags::NOFOLLOW, !options.follow);
    flags.set(OFlags::CREATE, options.create);
    flags.set(OFlags::EXCL, options.exclusive);
    flags.set(OFlags::TRUNC, options.truncate);
    flags.set(OFlags::DIRECTORY, options.directory);
    rustix::fs::openat(CWD, path, flags, Mode::from(0o644))
}

/// Everything below, by path: content of files, targets of links.
fn all_on_disk(directory: &Path, path: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{path}/{}", entry.file_name().to_str().unwrap());
        let kind = entry.file_type().unwrap();
        let content = if kind.is_dir() {
            all_on_disk(&entry.path(), &path, found);
            b"directory".to_vec()
        } else if kind.is_symlink() {
            fs::read_link(entry.path())
                .unwrap()
                .as_os_str()
                .as_bytes()
                .to_vec()
        } else {
            let links = entry.metadata().unwrap().nlink();
            [
                fs::read(entry.path()).unwrap(),
                links.to_string().into_bytes(),
            ]
            .concat()
        };
        found.insert(path, content);
    }
}

fn all_in_tree(files: &mut Files, id: NodeId, path: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    let entries: Vec<Entry> = files.list(id, FIRST_COOKIE).unwrap().collect();
    for entry in entries {
        let name = std::str::from_utf8(&entry.name).unwrap();
        let id = files.directory(id).unwrap().get(&entry.name).unwrap();
        let path = format!("{path}/{name}");
        let content = match &files.node(id).unwrap().kind {
            Kind::Directory(_) => {
                all_in_tree(files, id, &path, found);
                b"directory".to_vec()
            }
            Kind::Link(target) => target.to_vec(),
            Kind::File(content) => {
                let links = files.stat(id).unwrap().links.to_string();
                [content.from(0), links.as_bytes()].concat()
            }
        };
        found.insert(path, content);
    }
}

/// The counts that the budget goes by, counted anew.
fn check_counts(files: &Files) {
    let nodes = || files.nodes.iter().flatten();
    assert_eq!(files.bytes, nodes().map(Node::size).sum::<u64>());
    assert_eq!(files.files + 2, nodes().count() as u64);
    assert_eq!(
        files.open,
        nodes().map(|node| u64::from(node.open)).sum::<u64>()
    );
    for (index, node) in files.nodes.iter().enumerate() {
        let Some(Kind::Directory(directory)) = node.as_ref().map(|node| &node.kind) else {
            continue;
        };
        assert_eq!(directory.names.len(), directory.order.len());
        let id = NodeId(u32::try_from(index).unwrap());
        let inside = directory
            .names
            .values()
            .filter(|(id, _)| files.kind(*id).unwrap() == FileKind::Directory);
        let own = if node.as_ref().unwrap().links == 0 {
            0
        } else {
            2
        };
        assert_eq!(files.stat(id).unwrap().links, own + inside.count() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Where the tree refuses to be led out, a real system would follow.
    #[test]
    fn it_does_what_a_real_file_system_does(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        fs::create_dir(&root).unwrap();
        let mut files = empty();
        for step in &steps {
            let tree = in_tree(&mut files, step);
            if tree == Err(Errno::NotPermitted) {
                continue;
            }
            let disk = on_disk(&root, step);
            prop_assert_eq!(tree, disk, "{:?} of {:?}", step, &steps);
        }
        let mut tree = BTreeMap::new();
        all_in_tree(&mut files, WORK, "", &mut tree);
        let mut disk = BTreeMap::new();
        all_on_disk(&root, "", &mut disk);
        prop_assert_eq!(tree, disk);
        check_counts(&files);
    }
}

#[test]
fn what_leads_out_is_refused() {
    let mut files = empty();
    files.make_directory(WORK, b"d").unwrap();
    files.make_link(b"..", WORK, b"up").unwrap();
    files.make_link(b"d/../..", WORK, b"far").unwrap();
    for path in [
        "..", "/", "/etc", "d/../..", "up", "up/x", "far/x", "./../d",
    ] {
        let opened = files.open(WORK, path.as_bytes(), READ);
        assert_eq!(opened, Err(Errno::NotPermitted), "{path}");
    }
    let directory = files.open(WORK, b"d", READ).unwrap();
    assert_eq!(
        files.stat_at(directory, b"..", true),
        Err(Errno::NotPermitted)
    );
    assert_eq!(
        files.stat_at(directory, b"../d", true),
        Err(Errno::NotPermitted)
    );
    assert_eq!(
        files.make_link(b"/d", WORK, b"absolute"),
        Err(Errno::NotPermitted)
    );
    assert!(files.stat_at(WORK, b"d/../d/.", true).is_ok());
}

#[test]
fn paths_have_bounds() {
    let mut files = empty();
    let cases: [(Vec<u8>, Errno); 4] = [
        (Vec::new(), Errno::NotFound),
        (b"a\0b".to_vec(), Errno::Invalid),
        (vec![b'x'; 256], Errno::NameTooLong),
        (b"./".repeat(3000), Errno::NameTooLong),
    ];
    for (path, error) in cases {
        assert_eq!(files.open(WORK, &path, CREATE), Err(error));
    }
    assert!(files.open(WORK, &[b'x'; 255], CREATE).is_ok());
}

#[test]
fn forty_links_are_followed_and_not_one_more() {
    let mut files = empty();
    put(&mut files, "link0", b"found").unwrap();
    for number in 1..=41 {
        let (target, name) = (format!("link{}", number - 1), format!("link{number}"));
        files
            .make_link(target.as_bytes(), WORK, name.as_bytes())
            .unwrap();
    }
    assert_eq!(get(&mut files, "link40").unwrap(), b"found");
    assert_eq!(get(&mut files, "link41"), Err(Errno::Loop));
}

#[test]
fn an_input_is_shared_until_it_is_written_to() {
    let mut files = empty();
    let sent = Bytes::from(vec![7; 1000]);
    files.add(b"/one//two/file", sent.clone()).unwrap();
    files.add(b"other", sent.clone()).unwrap();
    assert_eq!(files.add(b"other", sent.clone()), Err(Errno::Exists));
    assert_eq!(files.add(b"../out", sent.clone()), Err(Errno::NotPermitted));
    let node = files.open(WORK, b"other", CREATE).unwrap();
    files.write(node, 1, b"x").unwrap();
    files.close(node);
    let mut left = files.leavings();
    left.sort_by(|one, other| one.path.cmp(&other.path));
    let paths: Vec<&[u8]> = left.iter().map(|left| left.path.as_slice()).collect();
    assert_eq!(paths, [b"one/two/file".as_slice(), b"other"]);
    assert_eq!(left[0].bytes.as_ptr(), sent.as_ptr());
    assert_ne!(left[1].bytes.as_ptr(), sent.as_ptr());
    assert_eq!((left[0].changed, left[1].changed), (false, true));
    assert_eq!(&left[1].bytes[..3], [7, b'x', 7]);
    // Collecting does not end anything.
    put(&mut files, "other", b"again").unwrap();
    assert_eq!(&left[1].bytes[..3], [7, b'x', 7]);
    assert!(get(&mut files, "other").unwrap().starts_with(b"again"));
    check_counts(&files);
}

#[test]
fn bytes_are_bounded_and_what_fits_is_written() {
    let mut files = limited(FileLimits {
        bytes_max: 10,
        ..PLENTY
    });
    let node = files.open(WORK, b"file", CREATE).unwrap();
    assert_eq!(files.write(node, 0, b"abcdef"), Ok(6));
    assert_eq!(files.hit(), None);
    assert_eq!(files.write(node, 4, b"123456789"), Ok(6));
    assert_eq!(files.hit(), Some(FileHit::Disk));
    assert_eq!(files.write(node, 10, b"x"), Err(Errno::NoSpace));
    assert_eq!(files.write(node, u64::MAX, b"x"), Err(Errno::FileTooLarge));
    assert_eq!(files.write(node, 1 << 60, b"x"), Err(Errno::NoSpace));
    assert_eq!(files.write(node, 9, b"y"), Ok(1));
    assert_eq!(files.set_size(node, 11), Err(Errno::NoSpace));
    assert_eq!(
        files.make_link(b"target", WORK, b"link"),
        Err(Errno::NoSpace)
    );
    assert_eq!(files.set_size(node, 2), Ok(()));
    assert_eq!(files.make_link(b"target", WORK, b"link"), Ok(()));
    assert_eq!(files.bytes(), 8);
    files.remove_file(WORK, b"file").unwrap();
    // It is still open.
    assert_eq!(files.bytes(), 8);
    files.close(node);
    assert_eq!(files.bytes(), 6);
    check_counts(&files);
}

#[test]
fn files_and_what_is_open_are_bounded() {
    let mut files = limited(FileLimits {
        bytes_max: 100,
        files_max: 3,
        open_max: 2,
    });
    files.make_directory(WORK, b"d").unwrap();
    let one = files.open(WORK, b"d/one", CREATE).unwrap();
    files.open(WORK, b"d/two", CREATE).unwrap();
    assert_eq!(files.hit(), None);
    assert_eq!(files.open(WORK, b"d/one", READ), Err(Errno::TooManyFiles));
    assert_eq!(files.hit(), Some(FileHit::OpenFiles));
    assert_eq!(files.make_directory(TEMPORARY, b"d"), Err(Errno::NoSpace));
    files.remove_file(WORK, b"d/two").unwrap();
    assert_eq!(files.count(), 3);
    files.close(one);
    // A file that cannot be opened is not left behind either.
    files.remove_file(WORK, b"d/one").unwrap();
    files.open(WORK, b"d/one", CREATE).unwrap();
    files.remove_file(WORK, b"d/one").unwrap();
    assert_eq!(files.open(WORK, b"d/three", CREATE), Err(Errno::NoSpace));
    assert_eq!(names(&files, WORK), [".", "..", "d"]);
    check_counts(&files);
}

#[test]
fn listing_goes_on_where_it_was_whatever_changes() {
    let mut files = empty();
    for name in ["a", "b", "c", "d"] {
        put(&mut files, name, b"").unwrap();
    }
    let mut entries = files.list(WORK, 0).unwrap();
    let second = entries.nth(3).unwrap();
    assert_eq!(&*second.name, b"b");
    drop(entries);
    files.remove_file(WORK, b"a").unwrap();
    files.remove_file(WORK, b"c").unwrap();
    put(&mut files, "e", b"").unwrap();
    let rest = files.list(WORK, second.next_cookie).unwrap();
    let rest: Vec<Arc<[u8]>> = rest.map(|entry| entry.name).collect();
    assert_eq!(
        rest,
        [Arc::from(b"d".as_slice()), Arc::from(b"e".as_slice())]
    );
    assert_eq!(files.list(WORK, u64::MAX).unwrap().count(), 0);
}

#[test]
fn nothing_is_made_in_a_directory_that_was_removed() {
    let mut files = empty();
    files.make_directory(WORK, b"d").unwrap();
    let directory = files.open(WORK, b"d", READ).unwrap();
    put(&mut files, "file", b"x").unwrap();
    files.remove_directory(WORK, b"d").unwrap();
    assert_eq!(files.open(directory, b"new", CREATE), Err(Errno::NotFound));
    assert_eq!(
        files.make_directory(directory, b"new"),
        Err(Errno::NotFound)
    );
    assert_eq!(
        files.make_link(b"x", directory, b"new"),
        Err(Errno::NotFound)
    );
    assert_eq!(
        files.rename((WORK, b"file"), (directory, b"new")),
        Err(Errno::NotFound)
    );
    assert_eq!(
        files.hard_link((WORK, b"file"), false, (directory, b"new")),
        Err(Errno::NotFound)
    );
    assert_eq!(names(&files, directory), [".", ".."]);
    assert_eq!(files.path_of(directory), None);
    files.close(directory);
    check_counts(&files);
}

#[test]
fn rules_see_real_paths() {
    let mut files = empty();
    files.make_directory(WORK, b"d").unwrap();
    files.make_directory(WORK, b"d/e").unwrap();
    files.make_link(b"d/e", WORK, b"link").unwrap();
    let real = |start, path: &[u8]| files.real_path(start, path, true);
    assert_eq!(real(WORK, b"link/new"), Some(b"/work/d/e/new".to_vec()));
    assert_eq!(real(WORK, b"link"), Some(b"/work/d/e".to_vec()));
    assert_eq!(real(WORK, b"."), Some(b"/work".to_vec()));
    assert_eq!(real(TEMPORARY, b"x"), Some(b"/tmp/x".to_vec()));
    assert_eq!(real(WORK, b"missing/x"), None);
}
