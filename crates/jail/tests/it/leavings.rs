//! What a program leaves is had without following anything it planted.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::Duration;

use atoll_jail::Leaving;
use atoll_types::{Limits, SkipReason};

use crate::support::{LIMITS, block_on, create, python, read_all, spec};

/// What was found under a path: a file's content, or why it is skipped.
type Found = BTreeMap<Vec<u8>, Result<Vec<u8>, SkipReason>>;

/// Runs a script to its end and reads at most `bytes_max` of each file it leaves.
fn leavings(name: &str, limits: Limits, script: &str, bytes_max: u64) -> (Found, Vec<Vec<u8>>) {
    block_on(async {
        let mut jail = create(&spec(name), limits).await.unwrap();
        let streams = jail.start(python(script)).await.unwrap();
        drop(streams.stdin);
        let readers = [streams.stdout, streams.stderr]
            .map(|stream| std::thread::spawn(move || read_all(stream)));
        tokio::time::timeout(Duration::from_secs(60), jail.wait())
            .await
            .unwrap();
        let left = jail.leavings().await.unwrap();
        let mut order = Vec::new();
        let mut found = Found::new();
        for Leaving { path, file } in left {
            let read = |file: atoll_jail::LeftFile| {
                let mut bytes = Vec::new();
                file.content
                    .take(bytes_max)
                    .read_to_end(&mut bytes)
                    .unwrap();
                bytes
            };
            order.push(path.clone());
            assert!(found.insert(path, file.map(read)).is_none());
        }
        jail.destroy().await.unwrap();
        let [stdout, stderr] = readers.map(|reader| reader.join().unwrap());
        assert_eq!(stderr, "", "{stdout}");
        found.remove(b"script.py".as_slice()).unwrap().unwrap();
        (found, order)
    })
}

fn content(found: &Found, path: &[u8]) -> String {
    let bytes = found.get(path).unwrap().as_ref().unwrap();
    String::from_utf8(bytes.clone()).unwrap()
}

#[test]
fn files_are_found_below_directories_in_order() {
    let script = "
import os
os.makedirs('b/c')
for name in ['b/c/2', 'b/1', 'a', 'z', 'locked']:
    open(name, 'w').write('in ' + name)
os.makedirs('empty/below')
os.chmod('locked', 0)
os.chmod('b/c', 0)
os.chmod('b', 0)
os.chmod('.', 0)
";
    let (found, order) = leavings("left-files", LIMITS, script, 100);
    let names: Vec<_> = order
        .iter()
        .map(|name| String::from_utf8_lossy(name))
        .collect();
    assert_eq!(names, ["a", "b/1", "b/c/2", "locked", "script.py", "z"]);
    for name in ["a", "b/1", "b/c/2", "locked", "z"] {
        assert_eq!(content(&found, name.as_bytes()), format!("in {name}"));
    }
}

#[test]
fn nothing_planted_is_followed_or_waited_for() {
    let script = "
import os, socket
os.symlink('/etc/passwd', 'to-a-file')
os.symlink('/etc', 'to-a-directory')
os.symlink('/proc/self/root/etc/passwd', 'to-a-root')
os.symlink('../../../../../etc', 'up')
os.symlink('loop', 'loop')
os.symlink('/work', 'to-itself')
socket.socket(socket.AF_UNIX).bind('socket')
os.makedirs('d')
os.symlink('..', 'd/parent')
open('d/file', 'w').write('own')
os.link('d/file', 'd/other')
";
    let (mut found, _) = leavings("left-planted", LIMITS, script, 100);
    for name in [
        "to-a-file",
        "to-a-directory",
        "to-a-root",
        "up",
        "loop",
        "to-itself",
    ] {
        assert_eq!(
            found.remove(name.as_bytes()),
            Some(Err(SkipReason::SymbolicLink)),
            "{name}"
        );
    }
    assert_eq!(
        found.remove(b"d/parent".as_slice()),
        Some(Err(SkipReason::SymbolicLink))
    );
    assert_eq!(
        found.remove(b"socket".as_slice()),
        Some(Err(SkipReason::Socket))
    );
    assert_eq!(content(&found, b"d/file"), "own");
    assert_eq!(content(&found, b"d/other"), "own");
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn several_names_of_a_file_are_told_by_their_number() {
    let script = "
import os
open('a', 'w').write('x')
os.link('a', 'b')
open('c', 'w').write('y')
";
    block_on(async {
        let mut jail = create(&spec("left-links"), LIMITS).await.unwrap();
        let _streams = jail.start(python(script)).await.unwrap();
        jail.wait().await;
        let shared: BTreeMap<_, _> = jail
            .leavings()
            .await
            .unwrap()
            .map(|leaving| (leaving.path, leaving.file.unwrap().shared))
            .collect();
        jail.destroy().await.unwrap();
        let of = |name: &str| *shared.get(name.as_bytes()).unwrap();
        assert!(of("a").is_some());
        assert_eq!(of("a"), of("b"));
        assert_eq!(of("c"), None);
    });
}

#[test]
fn names_are_any_bytes() {
    let names: [&[u8]; 7] = [
        b"new\nline",
        b"\xff\xfe",
        b"-rf",
        b" ",
        b"...",
        b"\x1b[2J",
        b"a\\..\\b",
    ];
    let script = "
import os
for name in [b'new\\nline', b'\\xff\\xfe', b'-rf', b' ', b'...', b'\\x1b[2J', b'a\\\\..\\\\b']:
    open(name, 'wb').write(name)
";
    let (found, _) = leavings("left-names", LIMITS, script, 100);
    assert_eq!(found.len(), names.len());
    for name in names {
        assert_eq!(found.get(name).unwrap().as_deref(), Ok(name));
    }
}

#[test]
fn a_sparse_giant_is_told_by_its_length_before_it_is_read() {
    let limits = Limits {
        disk_bytes: 2 << 40,
        ..LIMITS
    };
    let script = "
import os
os.truncate(os.open('giant', os.O_CREAT | os.O_WRONLY), 1 << 40)
";
    block_on(async {
        let mut jail = create(&spec("left-sparse"), limits).await.unwrap();
        let _streams = jail.start(python(script)).await.unwrap();
        jail.wait().await;
        let mut left = jail.leavings().await.unwrap();
        let giant = left.next().unwrap();
        assert_eq!(giant.path, b"giant");
        assert_eq!(giant.file.unwrap().bytes, 1 << 40);
        jail.destroy().await.unwrap();
    });
}

#[test]
fn directories_are_followed_only_so_deep() {
    let limits = Limits {
        disk_files: 1_000,
        ..LIMITS
    };
    let script = "
import os
for depth in range(500):
    open('f', 'w').close()
    os.mkdir('d')
    os.chdir('d')
";
    let (found, _) = leavings("left-deep", limits, script, 100);
    let files = found.values().filter(|file| file.is_ok()).count();
    assert_eq!(files, 64);
    let deep: Vec<_> = found.iter().filter(|(_, file)| file.is_err()).collect();
    let path = b"d/".repeat(64);
    let expected = (path[..path.len() - 1].to_vec(), Err(SkipReason::TooDeep));
    assert_eq!(deep, [(&expected.0, &expected.1)]);
}

#[test]
fn paths_are_followed_only_so_long() {
    let script = "
import os
for depth in range(20):
    os.mkdir('x' * 255)
    os.chdir('x' * 255)
    open('f', 'w').close()
";
    let (found, _) = leavings("left-long", LIMITS, script, 100);
    let files = found.iter().filter(|(_, file)| file.is_ok());
    let lengths: Vec<_> = files.map(|(path, _)| path.len()).collect();
    assert_eq!(lengths.len(), 15);
    assert!(lengths.iter().all(|length| *length <= 4096));
    let deep = found
        .values()
        .filter(|file| **file == Err(SkipReason::TooDeep));
    // The file one step too far, and the directory beside it.
    assert_eq!(deep.count(), 2);
}

#[test]
fn ten_thousand_files_are_found() {
    let limits = Limits {
        disk_files: 10_050,
        ..LIMITS
    };
    let script = "
import os
for directory in range(10):
    os.mkdir(str(directory))
    for file in range(1000):
        os.close(os.open(f'{directory}/{file}', os.O_CREAT))
";
    let (found, _) = leavings("left-many", limits, script, 100);
    assert_eq!(found.len(), 10_000);
    assert!(found.values().all(Result::is_ok));
}

#[test]
fn a_file_that_is_swapped_for_a_link_to_the_end_is_one_or_the_other() {
    let script = "
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        sys.stdout.close()
        open('file', 'w').write('own')
        os.symlink('/etc/passwd', 'link')
        os.close(os.open('ready', os.O_CREAT))
        while True:
            for swapped in ['file', 'link']:
                try:
                    os.link(swapped, 'next', follow_symlinks=False)
                    os.rename('next', 'target')
                except OSError:
                    pass
    os._exit(0)
while not os.path.exists('ready'):
    time.sleep(0.001)
time.sleep(0.01)
";
    for round in 0..5 {
        let name = format!("left-swapped-{round}");
        let (found, _) = leavings(&name, LIMITS, script, 1 << 20);
        match found.get(b"target".as_slice()) {
            Some(Ok(bytes)) => assert_eq!(bytes, b"own"),
            Some(Err(reason)) => assert_eq!(*reason, SkipReason::SymbolicLink),
            None => {}
        }
        assert_eq!(content(&found, b"file"), "own");
        assert_eq!(
            found.get(b"link".as_slice()),
            Some(&Err(SkipReason::SymbolicLink))
        );
    }
}

#[test]
fn what_was_written_before_a_limit_is_there() {
    let script = "
open('before', 'w').write('kept')
b = []
while True: b.append(bytearray(1 << 20))
";
    let (found, _) = leavings("left-limit", LIMITS, script, 100);
    assert_eq!(content(&found, b"before"), "kept");
}
