//! Reads and writes are counted for the whole tree, by the kernel and not by the program.

use std::time::Duration;

use atoll_jail::Jail;
use atoll_types::IoUsage;

use crate::support::{LIMITS, accepted, block_on, create, python, run, shell, spec};

/// 1,000 writes of 1,000 bytes, and 250 reads of 4,000 with one at the end.
const WORK: &str = "
import os
def work():
    f = os.open('/work/data', os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    for _ in range(1000): os.write(f, b'x' * 1000)
    os.lseek(f, 0, 0)
    while os.read(f, 4000): pass
    os.close(f)
";
const DONE: IoUsage = IoUsage {
    reads: 251,
    writes: 1000,
    read_bytes: 1_000_000,
    written_bytes: 1_000_000,
};

/// What a script does beside starting and ending as an empty one does.
fn done(name: &str, script: &str) -> IoUsage {
    let counted = |script: &str| {
        let finished = run(name, LIMITS, python(&[WORK, script].concat()));
        assert_eq!(finished.stderr, "", "{finished:?}");
        finished.usage.io.unwrap()
    };
    // An interpreter reads a little more or less from time to time: what it finds in directories.
    counted(script).since(&counted(""))
}

/// So many times the work, and next to nothing else.
fn assert_times(times: u64, done: IoUsage) {
    let is_close = |found: u64, expected: u64, more: u64| {
        (expected * times..=expected * times + more).contains(&found)
    };
    assert!(is_close(done.reads, DONE.reads, 20), "{done:?}");
    assert!(is_close(done.writes, DONE.writes, 5), "{done:?}");
    assert!(
        is_close(done.read_bytes, DONE.read_bytes, 20_000),
        "{done:?}"
    );
    assert!(
        is_close(done.written_bytes, DONE.written_bytes, 1_000),
        "{done:?}"
    );
}

#[test]
fn a_program_is_counted() {
    assert_times(1, done("io-one", "work()"));
}

#[test]
fn children_are_counted_that_somebody_waits_for() {
    let children = "
for _ in range(3):
    if os.fork() == 0:
        work()
        os._exit(0)
    os.wait()
work()
";
    assert_times(4, done("io-children", children));
}

#[test]
fn threads_are_counted() {
    let threads = "
import threading
def many():
    for _ in range(500): os.write(null, b'x' * 1000)
null = os.open('/dev/null', os.O_WRONLY)
threads = [threading.Thread(target=many) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
";
    let done = done("io-threads", threads);
    assert!((1000..1010).contains(&done.writes), "{done:?}");
    assert!(
        (1_000_000..1_010_000).contains(&done.written_bytes),
        "{done:?}"
    );
}

#[test]
fn orphans_are_counted() {
    // The pipe ends with the orphan, which has only to be waited for then.
    let orphan = "
import time
read, write = os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        work()
        os._exit(0)
    os._exit(0)
os.close(write)
os.wait()
os.read(read, 1)
time.sleep(0.3)
";
    assert_times(1, done("io-orphan", orphan));
}

#[test]
fn placing_files_is_nothing_the_program_did() {
    let mut large = shell("true");
    large.files = python("").files;
    large.files[0].content = vec![b'x'; 4 << 20].into();
    let finished = run("io-files", LIMITS, large);
    let io = finished.usage.io.unwrap();
    assert!(io.read_bytes < 100_000 && io.written_bytes < 10, "{io:?}");
}

#[test]
fn a_program_cannot_change_the_figures() {
    let lies = "
work()
for path in ('/proc/self/io', '/proc/1/io', '/proc/thread-self/io'):
    try:
        os.write(os.open(path, os.O_WRONLY), b'rchar: 0\\nwchar: 0\\nsyscr: 0\\nsyscw: 0\\n')
        print('written', path)
    except OSError:
        pass
# Whatever might lead to somebody who listens.
for number in range(3, 200):
    try:
        os.write(number, bytes(64))
        print('open', number)
    except OSError:
        pass
";
    let finished = run("io-lies", LIMITS, python(&[WORK, lies].concat()));
    assert_eq!(finished.stdout, "", "{finished:?}");
    let io = finished.usage.io.unwrap();
    assert!(io.writes >= 1000 && io.written_bytes >= 1_000_000, "{io:?}");
    assert!(io.reads >= 251 && io.read_bytes >= 1_000_000, "{io:?}");
}

#[test]
fn what_is_ended_by_force_is_known_as_far_as_it_was_seen() {
    block_on(async {
        let mut jail = create(&spec("io-force"), LIMITS).await.unwrap();
        let script = [
            WORK,
            "work()\nprint('done', flush=True)\nimport time\ntime.sleep(99)",
        ];
        let streams = jail.start(python(&script.concat())).await.unwrap();
        rustix::io::ioctl_fionbio(&streams.stdout, false).unwrap();
        let mut said = [0; 5];
        std::io::Read::read_exact(&mut std::fs::File::from(streams.stdout), &mut said).unwrap();
        let seen = jail.usage().io.unwrap();
        jail.stop();
        let _ = tokio::time::timeout(Duration::from_secs(20), jail.wait()).await;
        let ended = jail.usage().io.unwrap();
        jail.destroy().await.unwrap();
        assert!(seen.writes >= 1000 && seen.reads >= 251, "{seen:?}");
        assert_eq!(ended, seen.max(&ended));
    });
}

#[test]
fn a_renewed_jail_counts_anew() {
    if !Jail::is_renewable() {
        return;
    }
    block_on(async {
        let begun = Jail::begin_renewable(&spec("io-renew")).unwrap();
        let mut jail = begun.finish(LIMITS, &accepted()).await.unwrap();
        let mut counts = Vec::new();
        for script in ["work()\nwork()", ""] {
            let streams = jail.start(python(&[WORK, script].concat())).await.unwrap();
            jail.wait().await;
            drop(streams);
            counts.push(jail.usage().io.unwrap());
            jail.renew(LIMITS).await.unwrap();
        }
        jail.destroy().await.unwrap();
        assert_times(2, counts[0].since(&counts[1]));
        assert!(counts[1].writes < 20, "{counts:?}");
    });
}
