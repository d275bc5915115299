//! Runs the programs of wasi-testsuite at the level `instance`. Meant to be started by
//! `scripts/wasi-testsuite.sh`: `atoll-wasi-testsuite DIRECTORY [--record]`.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let ended = match arguments.as_slice() {
        [place] => check(Path::new(place), false),
        [place, record] if record == "--record" => check(Path::new(place), true),
        _ => Err("usage: atoll-wasi-testsuite DIRECTORY [--record]".to_owned()),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            drop(writeln!(io::stderr(), "atoll-wasi-testsuite: {problem}"));
            ExitCode::FAILURE
        }
    }
}

fn check(place: &Path, record: bool) -> Result<bool, String> {
    atoll_acceptance::wasi_testsuite(&mut io::stdout().lock(), place, record)
}
