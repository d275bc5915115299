//! Reads programs and input files from disk without being held up by what is not a plain file.
//!
//! Owns the step from a path to bytes in memory. A path may name a directory, a pipe that nobody
//! writes to, or a file that claims to be enormous: each is told apart before a byte is read. It
//! does not look at the content.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use atoll_analyze::PROGRAM_BYTES_MAX;
use atoll_types::{Content, InputFile};
use rustix::fs::{FileType, Mode, OFlags};

/// Bytes that one input file may have. Input is held in memory until the program has started.
pub const INPUT_BYTES_MAX: u64 = 256 << 20;

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing is there, or it may not be opened.
    #[error("failed to open {}{}", .path.display(), help(.source))]
    Open {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something is there that is no plain file.
    #[error("failed to read {}: it is {found}, and only plain files can be read", .path.display())]
    NotAFile {
        /// The path as it was given.
        path: PathBuf,
        /// What it is, with its article.
        found: &'static str,
    },
    /// The file is larger than Atoll reads.
    #[error(
        "failed to read {}: it has {bytes} bytes, and at most {bytes_max} are accepted",
        .path.display()
    )]
    TooLarge {
        /// The path as it was given.
        path: PathBuf,
        /// Its size, or how much had been read when it turned out to be too large.
        bytes: u64,
        /// The most that is accepted.
        bytes_max: u64,
    },
    /// Reading failed part-way.
    #[error("failed to read {}", .path.display())]
    Read {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The path has no last part that could name the file inside the sandbox.
    #[error("failed to name {}: the path must end in a file name", .path.display())]
    NoName {
        /// The path as it was given.
        path: PathBuf,
    },
}

/// A program as it lies on disk.
#[derive(Debug, Clone)]
pub struct ProgramFile {
    /// The file name without its directory, lossily decoded.
    pub name: String,
    /// The bytes.
    pub bytes: Content,
}

/// Reads a program.
///
/// # Errors
/// [`ReadError`] when the path does not lead to a plain file of at most 64 MiB that may be read.
pub fn program_file(path: &Path) -> Result<ProgramFile, ReadError> {
    let name = file_name(path)?;
    Ok(ProgramFile {
        name: String::from_utf8_lossy(&name).into_owned(),
        bytes: bytes(path, PROGRAM_BYTES_MAX)?,
    })
}

/// Reads an input file that the program will see as `name`, or under its own name.
///
/// # Errors
/// [`ReadError`] when the path does not lead to a plain file of at most [`INPUT_BYTES_MAX`] bytes
/// that may be read.
pub fn input_file(path: &Path, name: Option<&[u8]>) -> Result<InputFile, ReadError> {
    let name = match name {
        Some(name) => name.to_vec(),
        None => file_name(path)?,
    };
    let content = bytes(path, INPUT_BYTES_MAX)?;
    Ok(InputFile { name, content })
}

/// Reads a text file, such as a policy, of at most 1 MiB.
///
/// # Errors
/// [`ReadError`] as for programs, and when the file is not UTF-8.
pub fn text_file(path: &Path) -> Result<String, ReadError> {
    const TEXT_BYTES_MAX: u64 = 1 << 20;
    let bytes = bytes(path, TEXT_BYTES_MAX)?;
    let text = std::str::from_utf8(&bytes).map_err(|source| ReadError::Read {
        path: path.to_owned(),
        source: std::io::Error::new(std::io::ErrorKind::InvalidData, source),
    })?;
    Ok(text.to_owned())
}

fn file_name(path: &Path) -> Result<Vec<u8>, ReadError> {
    path.file_name()
        .map(|name| name.as_bytes().to_vec())
        .ok_or_else(|| ReadError::NoName {
            path: path.to_owned(),
        })
}

fn bytes(path: &Path, bytes_max: u64) -> Result<Content, ReadError> {
    // Without NONBLOCK, opening a FIFO would wait for its writer before anything could be checked.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file: File = rustix::fs::open(path, flags, Mode::empty())
        .map_err(|source| open_error(path, source.into()))?
        .into();
    let read_error = |source| ReadError::Read {
        path: path.to_owned(),
        source,
    };
    let stat = rustix::fs::fstat(&file).map_err(|source| read_error(source.into()))?;
    if let Some(found) = not_a_file(FileType::from_raw_mode(stat.st_mode)) {
        return Err(ReadError::NotAFile {
            path: path.to_owned(),
            found,
        });
    }
    let too_large = |bytes| ReadError::TooLarge {
        path: path.to_owned(),
        bytes,
        bytes_max,
    };
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    if size > bytes_max {
        return Err(too_large(size));
    }
    // The file may grow while it is read, so that its size is only a hint.
    let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1));
    file.take(bytes_max.saturating_add(1))
        .read_to_end(&mut content)
        .map_err(read_error)?;
    let length = content.len() as u64;
    if length > bytes_max {
        return Err(too_large(length));
    }
    Ok(content.into())
}

fn open_error(path: &Path, source: std::io::Error) -> ReadError {
    // A socket cannot even be opened.
    if source.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) {
        return ReadError::NotAFile {
            path: path.to_owned(),
            found: "a socket",
        };
    }
    ReadError::Open {
        path: path.to_owned(),
        source,
    }
}

const fn not_a_file(file_type: FileType) -> Option<&'static str> {
    match file_type {
        FileType::RegularFile => None,
        FileType::Directory => Some("a directory"),
        FileType::Fifo => Some("a named pipe"),
        FileType::Socket => Some("a socket"),
        FileType::CharacterDevice | FileType::BlockDevice => Some("a device"),
        FileType::Symlink | FileType::Unknown => Some("of an unknown type"),
    }
}

fn help(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::NotFound => "; check the path",
        std::io::ErrorKind::PermissionDenied => "; the user who runs atoll must be able to read it",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn error(path: &Path) -> String {
        program_file(path).unwrap_err().to_string()
    }

    #[test]
    fn a_plain_file_is_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.py");
        std::fs::write(&path, "print(1)\n").unwrap();
        let program = program_file(&path).unwrap();
        assert_eq!(program.name, "a.py");
        assert_eq!(&*program.bytes, b"print(1)\n");
        let input = input_file(&path, Some(b"other")).unwrap();
        assert_eq!(input.name, b"other");
    }

    #[test]
    fn what_is_not_a_plain_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(error(dir.path()).contains("it is a directory"));
        let fifo = dir.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert!(error(&fifo).contains("it is a named pipe"));
        let socket = dir.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        assert!(error(&socket).contains("it is a socket"));
        assert!(error(Path::new("/dev/null")).contains("it is a device"));
        assert!(error(Path::new("/")).contains("must end in a file name"));
    }

    #[test]
    fn a_missing_file_and_a_dangling_link_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing");
        assert!(error(&missing).ends_with("missing; check the path"));
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&missing, &link).unwrap();
        assert!(error(&link).ends_with("link; check the path"));
    }

    #[test]
    fn a_sparse_giant_is_refused_by_its_size() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("giant");
        File::create(&path).unwrap().set_len(2 << 30).unwrap();
        assert!(error(&path).contains("it has 2147483648 bytes, and at most 67108864"));
    }

    #[test]
    fn a_file_without_a_size_is_bounded_while_it_is_read() {
        // Files in /proc claim to have no bytes.
        let program = program_file(Path::new("/proc/self/status")).unwrap();
        assert!(!program.bytes.is_empty());
        let cut = bytes(Path::new("/proc/self/status"), 10);
        assert!(matches!(cut, Err(ReadError::TooLarge { bytes: 11, .. })));
    }
}
