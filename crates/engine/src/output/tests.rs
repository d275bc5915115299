use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::*;

fn place() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("out");
    (parent, path)
}

#[test]
fn a_missing_directory_is_made_but_not_its_parents() {
    let (parent, path) = place();
    OutputDirectory::open(&path).unwrap();
    assert!(path.is_dir());
    OutputDirectory::open(&path).unwrap();
    let deep = parent.path().join("no/such");
    let error = OutputDirectory::open(&deep).unwrap_err();
    assert!(matches!(error, OutputError::Make { .. }), "{error:?}");
    assert!(!parent.path().join("no").exists());
}

#[test]
fn what_is_no_empty_directory_is_refused_and_left_alone() {
    let (parent, path) = place();
    fs::create_dir(&path).unwrap();
    fs::write(path.join(".hidden"), "mine").unwrap();
    let error = OutputDirectory::open(&path).unwrap_err();
    assert!(matches!(error, OutputError::NotEmpty { .. }), "{error:?}");
    assert!(error.to_string().contains("not empty"), "{error}");
    assert_eq!(fs::read(path.join(".hidden")).unwrap(), b"mine");
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    let error = OutputDirectory::open(&file).unwrap_err();
    assert!(matches!(error, OutputError::Open { .. }), "{error:?}");
}

#[test]
fn files_are_made_with_their_directories_and_plain_modes() {
    let (_parent, path) = place();
    let output = OutputDirectory::open(&path).unwrap();
    for (name, executable) in [("a/b/c", false), ("a/b/run", true), ("-rf\n", false)] {
        let mut new = output.create(name.as_bytes(), executable, 7).unwrap();
        new.file.write_all(b"content").unwrap();
        new.keep();
        let found = fs::metadata(path.join(name)).unwrap();
        assert_eq!(fs::read(path.join(name)).unwrap(), b"content");
        let expected = if executable { 0o755 } else { 0o644 };
        // The umask may take bits away; nothing adds any.
        assert_eq!(found.permissions().mode() & 0o7777 & !expected, 0);
        assert_eq!(found.permissions().mode() & 0o100 != 0, executable);
        assert_eq!(found.uid(), rustix::process::geteuid().as_raw());
    }
}

#[test]
fn a_file_that_is_not_kept_is_removed() {
    let (_parent, path) = place();
    let output = OutputDirectory::open(&path).unwrap();
    drop(output.create(b"a/b", false, 7).unwrap());
    assert!(path.join("a").is_dir());
    assert!(!path.join("a/b").exists());
}

#[test]
fn what_exists_is_neither_overwritten_nor_followed() {
    let (parent, path) = place();
    let output = OutputDirectory::open(&path).unwrap();
    let elsewhere = parent.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    // All of this appears after the directory was found to be empty.
    fs::write(path.join("file"), "mine").unwrap();
    symlink(&elsewhere, path.join("link")).unwrap();
    symlink(elsewhere.join("new"), path.join("dangling")).unwrap();
    rustix::fs::mkfifoat(&output.directory, "pipe", Mode::RWXU).unwrap();
    for name in [
        "file",
        "file/below",
        "link",
        "link/below",
        "dangling",
        "pipe",
        "pipe/below",
    ] {
        let error = output.create(name.as_bytes(), false, 7).err().unwrap();
        assert_eq!(
            error.kind(),
            io::ErrorKind::AlreadyExists,
            "{name}: {error}"
        );
    }
    assert_eq!(fs::read(path.join("file")).unwrap(), b"mine");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn a_path_that_is_no_plain_way_down_is_refused() {
    let (parent, path) = place();
    let output = OutputDirectory::open(&path).unwrap();
    for name in [
        "",
        ".",
        "..",
        "/",
        "/x",
        "../x",
        "a/../../x",
        "a//x",
        "a/",
        "x\0y",
    ] {
        let error = output.create(name.as_bytes(), false, 7).err().unwrap();
        assert_eq!(
            error.kind(),
            io::ErrorKind::InvalidInput,
            "{name:?}: {error}"
        );
    }
    assert!(!parent.path().join("x").exists());
}

#[test]
fn a_file_that_would_end_the_process_is_not_begun() {
    let (_parent, path) = place();
    let mut output = OutputDirectory::open(&path).unwrap();
    output.file_bytes_max = Some(7);
    output.create(b"fits", false, 7).unwrap().keep();
    let error = output.create(b"more", false, 8).err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    assert!(!path.join("more").exists());
}
