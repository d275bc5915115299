//! Other processes: this test executable again, told by variables what to do.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use atoll_store::{Owner, Store};
use atoll_types::EventKind;

use crate::sample::{accepted, ended, outcome};
use crate::{concurrent, disk};

const TASK: &str = "ATOLL_STORE_TEST_TASK";
const PATH: &str = "ATOLL_STORE_TEST_PATH";
const FIRST: &str = "ATOLL_STORE_TEST_FIRST";

/// Starts `task` on a store in another process.
pub(crate) fn start(task: &str, path: &Path, first: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    prepare(&mut command, task, path, first);
    command.spawn().unwrap()
}

/// Completes a command that ends with this executable.
pub(crate) fn prepare(command: &mut Command, task: &str, path: &Path, first: u64) {
    command
        .args(["--exact", "child::entry", "--nocapture", "--test-threads=1"])
        .env(TASK, task)
        .env(PATH, path)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
}

pub(crate) fn expect_success(child: Child) {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What the other processes run. As a test of its own it has nothing to do.
#[tokio::test]
async fn entry() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let path = PathBuf::from(std::env::var_os(PATH).unwrap());
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    match task.as_str() {
        "write" => concurrent::write_fifty(&path, first).await,
        "hold" => hold(&path, first).await,
        "leave" => leave(&path, first).await,
        "toil" => toil(&path, first).await,
        "full" => disk::full(&path).await,
        "read-only" => disk::read_only(&path).await,
        _ => panic!("unknown task {task}"),
    }
}

/// Accepts a message and never finishes it.
async fn hold(path: &Path, number: u64) {
    let store = Store::open(path).await.unwrap();
    let mut message = accepted(number, "a", "p");
    message.owner = Owner::this_process().unwrap();
    store.accept(&message).await.unwrap();
    println!("holding");
    loop {
        std::thread::park();
    }
}

/// Takes messages from arrival to outcome, and says which are done, until it is killed.
async fn toil(path: &Path, first: u64) {
    let store = Store::open(path).await.unwrap();
    let owner = Owner::this_process().unwrap();
    for number in first.. {
        let mut message = accepted(number, "a", "p");
        message.owner = owner.clone();
        store.arrive(&message, 8).await.unwrap();
        store
            .finish(&outcome(&message), &[EventKind::Crash], ended(number))
            .await
            .unwrap();
        println!("done {number}");
    }
}

/// Takes one message from arrival to outcome, as a command line would, and ends.
async fn leave(path: &Path, number: u64) {
    let store = Store::open(path).await.unwrap();
    let message = accepted(number, "a", "p");
    store.arrive(&message, 8).await.unwrap();
    store
        .finish(&outcome(&message), &[], ended(number))
        .await
        .unwrap();
    store.leave().await;
}
