//! Runs one job behind a boundary. Started by Atoll or as the first process of a virtual machine;
//! not meant to be run by hand.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::ExitCode;

use atoll_agent::{machine, serve};
use atoll_plain::PlainBackend;
use atoll_sandbox_process::ProcessBackend;

/// What to be.
enum Role {
    /// The first process of a virtual machine.
    Init,
    /// The one that serves in a virtual machine, through this port.
    Machine(String),
    /// The one that serves in a container, through its standard input and output.
    Container(PlainBackend),
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let role = match (arguments.next().as_deref(), arguments.next()) {
        (None | Some("init"), None) if std::process::id() == 1 => Role::Init,
        (Some("machine"), Some(port)) => Role::Machine(port),
        (Some("container"), None) => Role::Container(PlainBackend::in_container()),
        (Some("container"), Some(kernel)) if kernel == "host" => {
            Role::Container(PlainBackend::in_container_on_host())
        }
        _ => {
            machine::say("usage: atoll-agent init | machine PORT | container [host]");
            return ExitCode::FAILURE;
        }
    };
    let ended = match role {
        Role::Init => machine::run(),
        Role::Machine(port) => machine::open_port(Path::new(&port))
            .and_then(|(input, output)| run(&ProcessBackend::new(), input, output)),
        Role::Container(backend) => {
            streams().and_then(|(input, output)| run(&backend, input, output))
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            machine::say(&format!("atoll-agent: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Standard input and output, of which nothing else here knows.
fn streams() -> std::io::Result<(OwnedFd, OwnedFd)> {
    let input = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let output = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    Ok((input, output))
}

fn run(
    backend: &dyn atoll_sandbox::Backend,
    input: OwnedFd,
    output: OwnedFd,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve::serve(backend, input, output))
}
