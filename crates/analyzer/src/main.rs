//! The jailed process that reads one program of unusual size.
//!
//! It is started inside a jail, takes the program from a descriptor, closes itself in before it
//! looks at the first byte, writes the analysis to its standard output, and ends. Everything it
//! does must also be safe when the program has taken it over.

mod confine;

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use atoll_analyzer::{PROGRAM_DESCRIPTOR, to_answer};
use atoll_types::ProgramKind;

/// The exit code of a process that could not do its work.
const EXIT_FAILED: u8 = 126;

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let Some(kind) = ProgramKind::ALL.into_iter().find(|it| it.name() == name) else {
        let text = "atoll-analyzer is started by atoll, not by hand\n";
        let _ = io::stderr().write_all(text.as_bytes());
        return ExitCode::from(EXIT_FAILED);
    };
    match answer(kind) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(EXIT_FAILED),
    }
}

fn answer(kind: ProgramKind) -> io::Result<()> {
    let mut program = Vec::new();
    let given = atoll_jail::sys::take_descriptor(PROGRAM_DESCRIPTOR)?;
    File::from(given).read_to_end(&mut program)?;
    confine::confine()?;
    let analysis = atoll_analyze::analyze(kind, &program);
    let mut stdout = io::stdout().lock();
    stdout.write_all(&to_answer(&analysis)?)?;
    stdout.flush()
}
