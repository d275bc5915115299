//! Sets up one jail and starts one program in it. Started by Atoll, with its socket as standard
//! input; not meant to be run by hand.

use std::process::ExitCode;

fn main() -> ExitCode {
    let ended = atoll_jail::sys::take_descriptor(0).and_then(|socket| atoll_jail::launch(&socket));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
