//! Disks that are full or cannot be written to.
//!
//! Each runs in a process with a mount namespace of its own, so that the small file system it
//! needs is gone with the process, whatever happens.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use atoll_store::{Filter, Store, StoreError};
use atoll_types::Status;

use crate::sample::{accepted, ended, outcome};
use crate::{child, place};

/// Runs `task` in a process that sees a file system of 1 MiB at the directory of the store.
fn with_small_disk(task: &str) {
    let (directory, path) = place();
    let namespaces = if rustix::process::geteuid().is_root() {
        "-m"
    } else {
        "-Urm"
    };
    let possible = Command::new("unshare")
        .args([namespaces, "mount", "-t", "tmpfs", "tmpfs"])
        .arg(directory.path())
        .output();
    if !possible.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: needs the command unshare and leave to mount a tmpfs with it");
        return;
    }
    let mut command = Command::new("unshare");
    command
        .args([namespaces, "sh", "-c"])
        .arg("mount -t tmpfs -o size=1m,mode=700 tmpfs \"$1\" && shift && exec \"$@\"")
        .arg("sh")
        .arg(directory.path())
        .arg(std::env::current_exe().unwrap());
    child::prepare(&mut command, task, &path, 0);
    child::expect_success(command.spawn().unwrap());
    assert!(!path.exists(), "the small disk was left mounted");
}

#[test]
fn a_full_disk_loses_no_outcome() {
    with_small_disk("full");
}

#[test]
fn a_read_only_disk_says_so() {
    with_small_disk("read-only");
}

fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    while file.write_all(&[0; 4_096]).is_ok() {}
}

/// In the other process.
pub(crate) async fn full(path: &Path) {
    let filler = path.with_file_name("filler");
    fill(&filler);
    let error = Store::open(path).await.unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("its disk is full; free some space and try again"),
        "{text}"
    );
    fs::remove_file(&filler).unwrap();

    let store = Store::open(path).await.unwrap();
    let message = accepted(0, "a", "p");
    store.accept(&message).await.unwrap();
    fill(&filler);
    // There may be room left inside the files; it ends soon.
    let mut finished = 0;
    let (failed, error) = loop {
        let message = accepted(finished, "a", "p");
        if finished > 0
            && let Err(error) = store.accept(&message).await
        {
            break (None, error);
        }
        if let Err(error) = store.finish(&outcome(&message), &[], ended(finished)).await {
            break (Some(message), error);
        }
        finished += 1;
        assert!(finished < 10_000, "the disk never was full");
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    // What was recorded can be read on the full disk.
    let rows = store.list(&Filter::default()).await.unwrap();
    let done = rows.iter().filter(|row| row.status.is_some()).count();
    assert_eq!(done as u64, finished);

    fs::remove_file(&filler).unwrap();
    let message = match failed {
        Some(message) => message,
        None => {
            let message = accepted(finished, "a", "p");
            store.accept(&message).await.unwrap();
            message
        }
    };
    store
        .finish(&outcome(&message), &[], ended(finished))
        .await
        .unwrap();
    let row = store.outcome(message.id).await.unwrap().unwrap().row;
    assert_eq!(row.status, Some(Status::Exited));
    store.close().await;
}

/// In the other process.
pub(crate) async fn read_only(path: &Path) {
    let store = Store::open(path).await.unwrap();
    store.accept(&accepted(0, "a", "p")).await.unwrap();
    store.close().await;
    let disk = path.parent().unwrap();
    let remount = ["-o", "remount,ro"];
    assert!(
        Command::new("mount")
            .args(remount)
            .arg(disk)
            .status()
            .unwrap()
            .success()
    );
    for path in [
        path.to_owned(),
        disk.join("new.db"),
        disk.join("below/store.db"),
    ] {
        let error = Store::open(&path).await.unwrap_err();
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
        assert!(
            error
                .to_string()
                .contains("read-only file system; make it writable"),
            "{error}"
        );
    }
}
