//! What a program is, found from its content; the file name only breaks ties.
//!
//! Looks at the first bytes and, for text, at a bounded number of lines. Whether the program is
//! any good is for the analysis of its kind to find out.

mod elf;
mod text;

use atoll_types::ProgramKind;

/// The largest program that is accepted, in bytes.
pub const PROGRAM_BYTES_MAX: u64 = 64 << 20;

/// Why the content is not a program Atoll can run. Each message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownKind {
    /// There is nothing in it.
    #[error("it is empty; a program has at least one byte")]
    Empty,
    /// WebAssembly, but neither a core module nor a component.
    #[error("it is WebAssembly of an unknown version ({version:#010x}); build it for WASI")]
    WasmVersion {
        /// The four bytes after the magic number.
        version: u32,
    },
    /// WebAssembly cut off in its header.
    #[error("it is WebAssembly cut off after {bytes} bytes; copy the whole file")]
    WasmTruncated {
        /// How many bytes there are.
        bytes: usize,
    },
    /// WebAssembly in its text form.
    #[error("it is WebAssembly text; translate it to a binary first, for example with wat2wasm")]
    WasmText,
    /// ELF cut off in its header.
    #[error("it is an ELF file cut off in its header; copy the whole file")]
    ElfTruncated,
    /// ELF for other processors.
    #[error("it is an ELF file for {machine}, and this machine is {host}; build it for {host}")]
    ElfForeign {
        /// The processor it was built for.
        machine: String,
        /// This machine's processor.
        host: &'static str,
    },
    /// ELF, but no executable.
    #[error("it is {what}, not an executable; link it as a program")]
    ElfNotExecutable {
        /// What it is, with its article.
        what: &'static str,
    },
    /// A known format that Atoll does not run.
    #[error("it is {what}; Atoll runs Python, JavaScript, shell, ELF and WebAssembly programs")]
    Format {
        /// What it is, with its article.
        what: &'static str,
    },
    /// Bytes that are neither text nor a known format.
    #[error(
        "it is neither text nor a known binary format (byte {offset} is no UTF-8 text); Atoll \
         runs Python, JavaScript, shell, ELF and WebAssembly programs"
    )]
    Binary {
        /// The first byte that cannot be text, counted from 0.
        offset: usize,
    },
    /// A script whose first line names an interpreter Atoll does not offer.
    #[error(
        "its first line asks for the interpreter {interpreter:?}; Atoll offers python3, node, sh \
         and bash"
    )]
    Interpreter {
        /// The interpreter's name.
        interpreter: String,
    },
    /// Text in no language that could be told.
    #[error(
        "it is text in a language that could not be told; start it with a line such as \
         #!/usr/bin/env python3, or name it .py, .js or .sh"
    )]
    Language,
}

/// Finds out what a program is.
///
/// # Errors
/// [`UnknownKind`] says what the content is instead and what to do.
pub fn recognise(name: &str, bytes: &[u8]) -> Result<ProgramKind, UnknownKind> {
    if bytes.is_empty() {
        return Err(UnknownKind::Empty);
    }
    if let Some(rest) = bytes.strip_prefix(b"\0asm") {
        return wasm(rest);
    }
    if bytes.starts_with(b"\x7fELF") {
        return elf::recognise(bytes);
    }
    if let Some((_, what)) = FORMATS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(UnknownKind::Format { what });
    }
    text::recognise(name, bytes)
}

/// The version field holds a version and a layer: module 1 and component 13 are what is in use.
fn wasm(rest: &[u8]) -> Result<ProgramKind, UnknownKind> {
    let Some(version) = rest.first_chunk::<4>() else {
        return Err(UnknownKind::WasmTruncated {
            bytes: rest.len().saturating_add(4),
        });
    };
    match u32::from_le_bytes(*version) {
        0x0000_0001 => Ok(ProgramKind::WasmModule),
        0x0001_000d => Ok(ProgramKind::WasmComponent),
        version => Err(UnknownKind::WasmVersion { version }),
    }
}

/// First bytes of formats people send by mistake.
const FORMATS: [(&[u8], &str); 14] = [
    (b"MZ", "a Windows program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"\xca\xfe\xba\xbe", "a Java class or a macOS program"),
    (b"PK\x03\x04", "a ZIP archive (or a Java or Python package)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"!<arch>\n", "a static library or a Debian package"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\xff\xfe", "text in UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16; save it as UTF-8"),
];

#[cfg(test)]
mod tests;
