//! Where the store may live, and what is said when it may not.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use atoll_store::{Store, StoreError};

use crate::place;

/// The user that files of nobody belong to; it owns nothing else.
const NOBODY: u32 = 65_534;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

async fn error(path: &Path) -> StoreError {
    let error = Store::open(path).await.unwrap_err();
    assert!(error.to_string().starts_with("failed to "), "{error}");
    error
}

/// Opens a store in `directory` as a user that permissions apply to: this one, or another one if
/// this is root. Only the thread changes its user, and SQLite's thread inherits that.
fn open_as_ordinary_user(directory: &Path, path: PathBuf) -> Result<(), StoreError> {
    if rustix::process::geteuid().is_root() {
        chown(directory, Some(NOBODY), Some(NOBODY)).unwrap();
        for entry in fs::read_dir(directory).unwrap() {
            chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    let opening = std::thread::spawn(move || {
        if rustix::process::geteuid().is_root() {
            rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(NOBODY)).unwrap();
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let store = Store::open(&path).await?;
            store.close().await;
            Ok(())
        })
    });
    opening.join().unwrap()
}

#[tokio::test]
async fn directory_and_files_are_made_for_this_user_only() {
    let (directory, _) = place();
    let path = directory.path().join("a/b/store.db");
    let store = Store::open(&path).await.unwrap();
    store
        .accept(&crate::sample::accepted(1, "a", "p"))
        .await
        .unwrap();
    assert_eq!(mode(&directory.path().join("a")), 0o700);
    assert_eq!(mode(&directory.path().join("a/b")), 0o700);
    for file in ["store.db", "store.db-wal", "store.db-shm"] {
        assert_eq!(mode(&path.with_file_name(file)), 0o600, "{file}");
    }
    assert_eq!(store.path(), path);
}

#[tokio::test]
async fn an_odd_but_valid_name_is_a_name() {
    let (directory, _) = place();
    // SQLite would read these as options.
    for name in ["file:x?mode=memory", ":memory:", "with space 'and' quote"] {
        let path = directory.path().join(name);
        let store = Store::open(&path).await.unwrap();
        store
            .accept(&crate::sample::accepted(1, "a", "p"))
            .await
            .unwrap();
        store.close().await;
        assert!(path.is_file(), "{name}");
    }
}

#[tokio::test]
async fn a_file_in_the_way_of_the_directory() {
    let (directory, _) = place();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.join("store.db"), file.join("deeper/store.db")] {
        let error = error(&path).await;
        assert!(
            matches!(error, StoreError::NotADirectory { .. }),
            "{error:?}"
        );
        assert!(
            error.to_string().ends_with("choose another path"),
            "{error}"
        );
    }
    symlink("nowhere", directory.path().join("dangling")).unwrap();
    let error = error(&directory.path().join("dangling/store.db")).await;
    assert!(
        matches!(error, StoreError::NotADirectory { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn something_else_where_the_file_should_be() {
    let (directory, path) = place();
    fs::create_dir(&path).unwrap();
    let refused = error(&path).await;
    assert!(
        matches!(refused, StoreError::NotAFile { .. }),
        "{refused:?}"
    );
    fs::remove_dir(&path).unwrap();

    let fifo = directory.path().join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let refused = error(&fifo).await;
    assert!(
        matches!(refused, StoreError::NotAFile { .. }),
        "{refused:?}"
    );

    symlink(directory.path().join("elsewhere.db"), &path).unwrap();
    let refused = error(&path).await;
    assert!(
        matches!(refused, StoreError::NotAFile { .. }),
        "{refused:?}"
    );
    assert!(!directory.path().join("elsewhere.db").exists());

    let root = error(Path::new("/")).await;
    assert!(matches!(root, StoreError::NotAFile { .. }), "{root:?}");
}

#[tokio::test]
async fn a_path_that_sqlite_cannot_take() {
    use std::os::unix::ffi::OsStrExt as _;
    let (directory, _) = place();
    let path = directory
        .path()
        .join(std::ffi::OsStr::from_bytes(b"st\xffore.db"));
    let refused = error(&path).await;
    assert!(matches!(refused, StoreError::BadPath { .. }), "{refused:?}");
    let refused = error(&directory.path().join("st\0ore.db")).await;
    assert!(matches!(refused, StoreError::Io { .. }), "{refused:?}");
}

#[tokio::test]
async fn others_must_not_be_able_to_write() {
    let (directory, path) = place();
    Store::open(&path).await.unwrap().close().await;
    for (exposed, its_mode) in [(&path, 0o620), (&path, 0o602)] {
        set_mode(exposed, its_mode);
        let error = error(&path).await;
        assert!(
            matches!(&error, StoreError::Exposed { path } if path == exposed),
            "{error:?}"
        );
        assert!(error.to_string().contains("`chmod go-w`"), "{error}");
    }
    set_mode(&path, 0o640);
    Store::open(&path).await.unwrap().close().await;
    assert_eq!(mode(&path), 0o640, "who may read is left to the operator");
    for its_mode in [0o770, 0o707, 0o1777] {
        set_mode(directory.path(), its_mode);
        let error = error(&path).await;
        assert!(matches!(error, StoreError::Exposed { .. }), "{error:?}");
    }
    set_mode(directory.path(), 0o755);
    Store::open(&path).await.unwrap().close().await;
}

#[tokio::test]
async fn a_store_of_another_user_is_not_trusted() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: giving files to another user needs root");
        return;
    }
    let (directory, path) = place();
    Store::open(&path).await.unwrap().close().await;
    chown(&path, Some(NOBODY), None).unwrap();
    let refused = error(&path).await;
    let expected = |error: &StoreError| {
        matches!(
            error,
            StoreError::OtherOwner {
                owner: NOBODY,
                user: 0,
                ..
            }
        )
    };
    assert!(expected(&refused), "{refused:?}");
    assert!(
        refused.to_string().contains("belongs to user id 65534"),
        "{refused}"
    );
    chown(&path, Some(0), None).unwrap();
    chown(directory.path(), Some(NOBODY), None).unwrap();
    let refused = error(&path).await;
    assert!(expected(&refused), "{refused:?}");
}

#[test]
fn a_directory_or_file_without_permission() {
    let (directory, path) = place();
    set_mode(directory.path(), 0o500);
    let refused = open_as_ordinary_user(directory.path(), path.clone()).unwrap_err();
    assert!(
        matches!(refused, StoreError::PermissionDenied { .. }),
        "{refused:?}"
    );
    assert!(
        refused.to_string().contains("permission denied; give"),
        "{refused}"
    );
    let below = directory.path().join("below/store.db");
    let refused = open_as_ordinary_user(directory.path(), below).unwrap_err();
    assert!(
        matches!(refused, StoreError::PermissionDenied { .. }),
        "{refused:?}"
    );

    set_mode(directory.path(), 0o700);
    open_as_ordinary_user(directory.path(), path.clone()).unwrap();
    for its_mode in [0o000, 0o400, 0o200] {
        set_mode(&path, its_mode);
        let refused = open_as_ordinary_user(directory.path(), path.clone()).unwrap_err();
        assert!(
            matches!(refused, StoreError::PermissionDenied { .. }),
            "{refused:?}"
        );
    }
    set_mode(&path, 0o600);
    set_mode(directory.path(), 0o500);
    let refused = open_as_ordinary_user(directory.path(), path.clone()).unwrap_err();
    assert!(
        matches!(refused, StoreError::PermissionDenied { .. }),
        "{refused:?}"
    );
    set_mode(directory.path(), 0o700);
    open_as_ordinary_user(directory.path(), path).unwrap();
}
