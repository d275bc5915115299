//! The `atoll` command: reads arguments, asks the engine, prints.
//!
//! Owns the command line, the terminal and the JSON forms. It knows the engine's interface and
//! nothing below it.

mod args;
mod bench;
mod commands;
mod error;
mod exit;
mod install;
mod json;
mod live;
mod message;
mod signals;
mod sink;
mod stdin;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Cli, Command};
use crate::error::CliError;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let code = match start(cli) {
        Ok(code) => code,
        Err(error) => {
            terminal::complain(&error.report());
            error.exit_code()
        }
    };
    ExitCode::from(code)
}

fn start(cli: Cli) -> Result<u8, CliError> {
    // One thread: a command has one thing to do, and starting more would cost time.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| CliError::System {
            attempt: "start the asynchronous runtime",
            source,
        })?;
    let result = runtime.block_on(dispatch(cli));
    // The process ends now: threads that wait for a terminal or a pipe are left behind, and
    // nothing is taken apart that the kernel takes apart anyway.
    std::mem::forget(runtime);
    result
}

async fn dispatch(cli: Cli) -> Result<u8, CliError> {
    let host = cli.host;
    match cli.command {
        Command::Run(args) => Box::pin(commands::run(args, host)).await,
        Command::Explain(args) => commands::explain(args, host).await,
        Command::Profile(args) => Box::pin(commands::profile(args, host)).await,
        Command::Doctor(args) => commands::doctor(&args, host).await,
        Command::History(args) => commands::history(args, host).await,
        Command::Policy(command) => commands::policy(command),
        Command::Completion(args) => commands::completion(args.shell),
        Command::Bench(command) => bench::run(command).await,
    }
}
