//! `atoll completion`: a script for a shell.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::error::CliError;
use crate::terminal;

pub(crate) fn completion(shell: Shell) -> Result<u8, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "atoll", &mut script);
    terminal::print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
