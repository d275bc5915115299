//! Runs other people's stress programs and the kernel's own tests inside a sandbox. Meant to be
//! started by `scripts/third-party.sh`, which fetches and builds them:
//! `atoll-third-party DIRECTORY [--record]`.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let ended = match arguments.as_slice() {
        [place] => check(Path::new(place), false),
        [place, record] if record == "--record" => check(Path::new(place), true),
        _ => Err("usage: atoll-third-party DIRECTORY [--record]".to_owned()),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            drop(writeln!(io::stderr(), "atoll-third-party: {problem}"));
            ExitCode::FAILURE
        }
    }
}

fn check(place: &Path, record: bool) -> Result<bool, String> {
    atoll_acceptance::third_party(&mut io::stdout().lock(), place, record)
}
