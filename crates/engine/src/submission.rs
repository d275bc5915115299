//! Checks what a caller hands in and makes a message of it.
//!
//! Owns the rules for arguments, variables and input files: what passes here can be handed to any
//! sandbox as it is. It does not judge the program beyond recognising its kind.

use std::collections::BTreeSet;

use atoll_analyze::{PROGRAM_BYTES_MAX, UnknownKind, recognise};
use atoll_types::{
    Content, InputFile, Message, MessageId, Origin, Parts, Program, ProgramHash, ProgramKind,
    Stdin, TenantId,
};

use crate::ProgramFile;

/// Bytes of one argument or variable. The kernel takes no longer string (execve(2),
/// `MAX_ARG_STRLEN`), its final NUL included.
pub(crate) const STRING_BYTES_MAX: usize = 128 * 1024 - 1;

/// Bytes of all arguments and variables together, counting 8 for each pointer.
pub(crate) const STRINGS_BYTES_MAX: usize = 1 << 20;

/// Input files of one message.
pub(crate) const FILES_MAX: usize = 1024;

/// Bytes of a file name (`NAME_MAX`).
const NAME_BYTES_MAX: usize = 255;

/// What a caller hands in.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The program as it was read.
    pub program: ProgramFile,
    /// Components that it imports from.
    pub parts: Parts,
    /// Arguments after the program's own name.
    pub arguments: Vec<Vec<u8>>,
    /// What the program reads from standard input.
    pub stdin: Stdin,
    /// A small input that stands for standard input.
    pub sample: Option<Content>,
    /// Files for the program's working directory.
    pub files: Vec<InputFile>,
    /// Variables added to the sandbox's own.
    pub environment: Vec<(Vec<u8>, Vec<u8>)>,
    /// Who is accountable.
    pub tenant: TenantId,
    /// How it came here.
    pub origin: Origin,
}

/// Why a submission is no message.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSubmission {
    /// The content is none of the kinds that can be run.
    #[error("failed to recognise the program {name}")]
    Kind {
        /// The program's name.
        name: String,
        /// What it looks like instead.
        source: UnknownKind,
    },
    /// The program is larger than Atoll reads.
    #[error("the program has {bytes} bytes, and at most {PROGRAM_BYTES_MAX} are accepted")]
    ProgramTooLarge {
        /// Its size.
        bytes: u64,
    },
    /// An argument has a NUL byte, which no program could be given.
    #[error("argument {position} contains a NUL byte; no program can be given one")]
    ArgumentNul {
        /// Counted from 1.
        position: usize,
    },
    /// An argument or a variable is longer than the kernel takes.
    #[error("{what} has {bytes} bytes, and at most {STRING_BYTES_MAX} are accepted")]
    StringTooLong {
        /// Which one.
        what: String,
        /// Its size.
        bytes: usize,
    },
    /// All arguments and variables together are more than the kernel takes.
    #[error(
        "the arguments and variables have {bytes} bytes together, and at most \
         {STRINGS_BYTES_MAX} are accepted; put long input into a file"
    )]
    StringsTooLong {
        /// Their size.
        bytes: usize,
    },
    /// A variable's name cannot be one.
    #[error("invalid variable name {name:?}: it must not be empty or contain '=' or NUL")]
    VariableName {
        /// The name, lossily decoded.
        name: String,
    },
    /// A variable's value has a NUL byte.
    #[error("the value of the variable {name:?} contains a NUL byte; no program can be given one")]
    VariableNul {
        /// The name, lossily decoded.
        name: String,
    },
    /// A variable is there twice.
    #[error("the variable {name:?} is given twice; give it once")]
    VariableTwice {
        /// The name, lossily decoded.
        name: String,
    },
    /// A file's name is not a plain one.
    #[error(
        "invalid input file name {name:?}: it must be a plain name of 1 to 255 bytes, without a \
         directory part"
    )]
    FileName {
        /// The name, lossily decoded.
        name: String,
    },
    /// Two files would have the same name, or one has the program's.
    #[error(
        "the input file name {name:?} is taken by {by}; give the file another name \
         (FILE=NAME)"
    )]
    FileTwice {
        /// The name, lossily decoded.
        name: String,
        /// Who has it.
        by: &'static str,
    },
    /// Only a component has parts.
    #[error(
        "the program is of the kind {kind}, and only a WebAssembly component can be given parts"
    )]
    NoComponent {
        /// What the program is.
        kind: ProgramKind,
    },
    /// All parts together are more than Atoll reads.
    #[error(
        "the parts of the program have {bytes} bytes together, and at most {PROGRAM_BYTES_MAX} \
         are accepted"
    )]
    PartsTooLarge {
        /// Their size.
        bytes: u64,
    },
    /// There are too many files.
    #[error("there are {files} input files, and at most {FILES_MAX} are accepted")]
    Files {
        /// How many.
        files: usize,
    },
}

impl Submission {
    /// Checks everything and makes the message. Time and randomness are passed in.
    ///
    /// # Errors
    /// [`InvalidSubmission`] names the first thing that is wrong.
    pub fn into_message(
        self,
        received_unix_ms: u64,
        random: [u8; 10],
    ) -> Result<Message, InvalidSubmission> {
        let bytes = self.program.bytes.len() as u64;
        if bytes > PROGRAM_BYTES_MAX {
            return Err(InvalidSubmission::ProgramTooLarge { bytes });
        }
        check_arguments(&self.arguments)?;
        check_environment(&self.environment)?;
        check_total(&self.arguments, &self.environment)?;
        check_files(&self.files, &self.program.name)?;
        check_parts(&self.parts)?;
        let kind = recognise(&self.program.name, &self.program.bytes).map_err(|source| {
            InvalidSubmission::Kind {
                name: self.program.name.clone(),
                source,
            }
        })?;
        if !self.parts.is_empty() && kind != ProgramKind::WasmComponent {
            return Err(InvalidSubmission::NoComponent { kind });
        }
        Ok(Message {
            id: MessageId::new(received_unix_ms, random),
            program: Program {
                hash: ProgramHash::of(&self.program.bytes),
                name: self.program.name,
                kind,
                bytes: self.program.bytes,
            },
            parts: self.parts,
            arguments: self.arguments,
            stdin: self.stdin,
            sample: self.sample,
            files: self.files,
            environment: self.environment,
            tenant: self.tenant,
            origin: self.origin,
            received_unix_ms,
        })
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn check_arguments(arguments: &[Vec<u8>]) -> Result<(), InvalidSubmission> {
    for (index, argument) in arguments.iter().enumerate() {
        let position = index + 1;
        if argument.contains(&0) {
            return Err(InvalidSubmission::ArgumentNul { position });
        }
        check_length(argument.len(), || format!("argument {position}"))?;
    }
    Ok(())
}

fn check_environment(environment: &[(Vec<u8>, Vec<u8>)]) -> Result<(), InvalidSubmission> {
    let mut names = BTreeSet::new();
    for (name, value) in environment {
        if name.is_empty() || name.contains(&b'=') || name.contains(&0) {
            return Err(InvalidSubmission::VariableName { name: lossy(name) });
        }
        if value.contains(&0) {
            return Err(InvalidSubmission::VariableNul { name: lossy(name) });
        }
        // The kernel sees NAME=VALUE as one string.
        let length = name.len().saturating_add(value.len()).saturating_add(1);
        check_length(length, || format!("the variable {:?}", lossy(name)))?;
        if !names.insert(name) {
            return Err(InvalidSubmission::VariableTwice { name: lossy(name) });
        }
    }
    Ok(())
}

fn check_length(bytes: usize, what: impl Fn() -> String) -> Result<(), InvalidSubmission> {
    if bytes > STRING_BYTES_MAX {
        return Err(InvalidSubmission::StringTooLong {
            what: what(),
            bytes,
        });
    }
    Ok(())
}

fn check_total(
    arguments: &[Vec<u8>],
    environment: &[(Vec<u8>, Vec<u8>)],
) -> Result<(), InvalidSubmission> {
    const POINTER_AND_NUL_BYTES: usize = 9;
    let arguments = arguments.iter().map(Vec::len);
    let variables = environment
        .iter()
        .map(|(name, value)| name.len().saturating_add(value.len()).saturating_add(1));
    let bytes = arguments.chain(variables).fold(0_usize, |sum, length| {
        sum.saturating_add(length)
            .saturating_add(POINTER_AND_NUL_BYTES)
    });
    if bytes > STRINGS_BYTES_MAX {
        return Err(InvalidSubmission::StringsTooLong { bytes });
    }
    Ok(())
}

/// What each of them is, and whether they fit together, is found out later.
fn check_parts(parts: &Parts) -> Result<(), InvalidSubmission> {
    let sizes = parts.parts.iter().map(|part| part.program.bytes.len());
    let bytes = sizes.fold(0_usize, usize::saturating_add) as u64;
    if bytes > PROGRAM_BYTES_MAX {
        return Err(InvalidSubmission::PartsTooLarge { bytes });
    }
    Ok(())
}

fn check_files(files: &[InputFile], program_name: &str) -> Result<(), InvalidSubmission> {
    if files.len() > FILES_MAX {
        return Err(InvalidSubmission::Files { files: files.len() });
    }
    let mut names = BTreeSet::new();
    for file in files {
        let name = file.name.as_slice();
        let plain = !matches!(name, b"" | b"." | b"..") && !name.contains(&b'/');
        if !plain || name.contains(&0) || name.len() > NAME_BYTES_MAX {
            return Err(InvalidSubmission::FileName { name: lossy(name) });
        }
        if name == program_name.as_bytes() {
            return Err(InvalidSubmission::FileTwice {
                name: lossy(name),
                by: "the program",
            });
        }
        if !names.insert(name) {
            return Err(InvalidSubmission::FileTwice {
                name: lossy(name),
                by: "another input file",
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
