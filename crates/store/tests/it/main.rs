//! The store from outside: what it promises, and what it does in trouble.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests are tests"
)]

mod child;
mod concurrent;
mod crash;
mod disk;
mod history;
mod lifecycle;
mod list;
mod place;
mod round_trip;
mod sample;
mod trouble;

use std::path::PathBuf;

use atoll_store::Store;

/// A directory of its own, removed at the end, and the path of a store inside.
fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    (directory, path)
}

async fn open() -> (tempfile::TempDir, Store) {
    let (directory, path) = place();
    let store = Store::open(&path).await.unwrap();
    (directory, store)
}

/// A connection of SQLite's own, for what the store has no way to do.
async fn raw(path: &std::path::Path) -> sqlx::SqliteConnection {
    use sqlx::ConnectOptions as _;
    sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .connect()
        .await
        .unwrap()
}
