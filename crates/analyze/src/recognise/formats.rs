//! File formats that are no programs, or none that run here, for the sake of a clear message.

use super::UnknownKind;

/// First bytes, what they belong to, and what to do instead.
const FORMATS: &[(&[u8], &str, &str)] = &[
    (
        b"MZ",
        "a Windows executable",
        "build it for Linux or compile it to WebAssembly",
    ),
    (
        b"\xCF\xFA\xED\xFE",
        "a macOS executable",
        "build it for Linux or compile it to WebAssembly",
    ),
    (
        b"\xCA\xFE\xBA\xBE",
        "a Java class or macOS executable",
        "build it for Linux",
    ),
    (
        b"PK\x03\x04",
        "a ZIP archive",
        "unpack it and give the program inside",
    ),
    (
        b"\x1F\x8B",
        "gzip data",
        "unpack it and give the program inside",
    ),
    (
        b"BZh",
        "bzip2 data",
        "unpack it and give the program inside",
    ),
    (
        b"\xFD7zXZ\0",
        "xz data",
        "unpack it and give the program inside",
    ),
    (
        b"\x28\xB5\x2F\xFD",
        "zstd data",
        "unpack it and give the program inside",
    ),
    (
        b"7z\xBC\xAF\x27\x1C",
        "a 7z archive",
        "unpack it and give the program inside",
    ),
    (
        b"!<arch>\n",
        "an archive of object files",
        "link it into an executable first",
    ),
    (
        b"%PDF-",
        "a PDF document",
        "give a program and pass the document as an input file",
    ),
    (
        b"\x89PNG",
        "a PNG image",
        "give a program and pass the image as an input file",
    ),
    (
        b"\xFF\xD8\xFF",
        "a JPEG image",
        "give a program and pass the image as an input file",
    ),
    (
        b"GIF8",
        "a GIF image",
        "give a program and pass the image as an input file",
    ),
    (
        b"SQLite format 3\0",
        "an SQLite database",
        "give a program and pass it as an input file",
    ),
    (
        b"BC\xC0\xDE",
        "LLVM bitcode",
        "compile it to WebAssembly or to a native executable",
    ),
    (b"\xFF\xFE", "text in UTF-16", "convert it to UTF-8"),
    (b"\xFE\xFF", "text in UTF-16", "convert it to UTF-8"),
];

/// The refusal for content of a known format.
pub(super) fn known(bytes: &[u8]) -> Option<UnknownKind> {
    let (_, format, advice) = FORMATS
        .iter()
        .copied()
        .find(|(magic, ..)| bytes.starts_with(magic))
        // Some of these could start a text as well; a text has no NUL bytes.
        .filter(|(magic, ..)| !magic.is_ascii() || magic.len() > 3 || bytes.contains(&0))?;
    Some(UnknownKind::OtherFormat { format, advice })
}

/// The refusal for Python bytecode, whose first bytes change with each version: two of version,
/// then `\r\n`.
pub(super) fn is_python_bytecode(bytes: &[u8]) -> bool {
    bytes.get(2..4) == Some(b"\r\n") && bytes.get(4..16).is_some_and(|rest| rest.contains(&0))
}
