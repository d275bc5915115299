//! Tells what a program is, from its content; its name only decides what the content leaves open.
//!
//! Recognising is cheap and shallow: it looks at headers and counts tokens, and does not promise
//! that the program is sound. What it refuses it refuses with a message that says what to do.

mod elf;
mod formats;
mod script;

use atoll_types::ProgramKind;
use thiserror::Error;

/// The most bytes of a program, 64 MiB. Whoever reads a program stops there; nothing in this crate
/// needs the bound to be safe.
pub const PROGRAM_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why content is not a program that can run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnknownKind {
    /// There is nothing in it.
    #[error("the program is empty; give a file with a program in it")]
    Empty,
    /// A native program for another kind of machine.
    #[error(
        "the program is an ELF file for {found}, and this machine is {host}; build it for {host} or compile it to WebAssembly"
    )]
    WrongArchitecture {
        /// What it was built for.
        found: String,
        /// What this machine is.
        host: &'static str,
    },
    /// A native program for another operating system.
    #[error("the program is an ELF file for {system}; build it for Linux")]
    WrongSystem {
        /// The system it was built for.
        system: &'static str,
    },
    /// A native file that is no executable.
    #[error("the program is {what}, not an executable; {advice}")]
    NotExecutable {
        /// What it is instead.
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A file that ends within its header or contradicts itself.
    #[error("the program starts like {format} but {problem}; it may be cut off or damaged")]
    Damaged {
        /// What it starts like.
        format: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// A WebAssembly file of another version.
    #[error(
        "the program is WebAssembly of version {version}, layer {layer}, which is not known; build a core module (version 1) or a component (version 13)"
    )]
    WasmVersion {
        /// The version field.
        version: u16,
        /// The layer field.
        layer: u16,
    },
    /// WebAssembly in its text form.
    #[error(
        "the program is WebAssembly text; assemble it first, for example with `wasm-tools parse`"
    )]
    WasmText,
    /// A file format that is known but does not run.
    #[error("the program is {format}, which does not run; {advice}")]
    OtherFormat {
        /// What it is.
        format: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A script for an interpreter that is not offered.
    #[error(
        "the program asks for the interpreter `{name}`, which is not one of python3, node, sh, bash, dash"
    )]
    UnknownInterpreter {
        /// The interpreter's name, without its directory.
        name: String,
    },
    /// Source text in a language that is known but does not run.
    #[error(
        "the program looks like {language}, which does not run as source; compile it to WebAssembly or to a native executable"
    )]
    OtherLanguage {
        /// The language.
        language: &'static str,
    },
    /// Bytes that are neither text nor a known format.
    #[error(
        "the program is binary data in no known format (first odd byte at offset {offset}); give a script, a WebAssembly file or an ELF executable"
    )]
    BinaryData {
        /// Where the content stops being text.
        offset: usize,
    },
    /// Text with bytes that are not UTF-8.
    #[error("the program is text but not valid UTF-8 at offset {offset}; convert it to UTF-8")]
    NotUtf8 {
        /// The first byte that does not fit.
        offset: usize,
    },
    /// Text that could be in more than one language, or in none.
    #[error(
        "the program is text in a language that cannot be told; start it with a line such as `#!/usr/bin/env python3`, or name it .py, .js or .sh"
    )]
    UnknownLanguage,
}

/// Tells the kind of a program from its bytes. `name` is the file name it came under; its ending
/// is looked at only where the content fits several languages equally.
///
/// # Errors
///
/// [`UnknownKind`] when the content is nothing that can run here. Its message says what to do.
pub fn recognise(name: &str, bytes: &[u8]) -> Result<ProgramKind, UnknownKind> {
    if bytes.is_empty() {
        return Err(UnknownKind::Empty);
    }
    if bytes.starts_with(elf::MAGIC) {
        return elf::check(bytes).map(|()| ProgramKind::Native);
    }
    if bytes.starts_with(WASM_MAGIC) {
        return wasm(bytes);
    }
    if let Some(other) = formats::known(bytes) {
        return Err(other);
    }
    script::recognise(name, bytes)
}

const WASM_MAGIC: &[u8] = b"\0asm";

/// Tells modules from components by the version and layer after the magic number, as the binary
/// format of the component model defines them.
fn wasm(bytes: &[u8]) -> Result<ProgramKind, UnknownKind> {
    let Some(&[low, high, layer_low, layer_high]) = bytes.get(4..).and_then(<[u8]>::first_chunk)
    else {
        return Err(UnknownKind::Damaged {
            format: "WebAssembly",
            problem: "ends within its header",
        });
    };
    let version = u16::from_le_bytes([low, high]);
    let layer = u16::from_le_bytes([layer_low, layer_high]);
    match (version, layer) {
        (1, 0) => Ok(ProgramKind::WasmModule),
        (13, 1) => Ok(ProgramKind::WasmComponent),
        (version, layer) => Err(UnknownKind::WasmVersion { version, layer }),
    }
}

#[cfg(test)]
mod tests;
