//! A job of nobody's, run in a sandbox of its own as a real one would be.
//!
//! What a real one needs is in memory then, and translated where the machine is emulated. Nothing
//! of it stays.

use std::io;
use std::os::unix::net::UnixStream;

use atoll_remote::protocol::{NOTICE_BYTES_MAX, ORDER_BYTES_MAX, Order, Refusal, Run};
use atoll_remote::wire;
use atoll_sandbox::Sandbox;
use atoll_types::{Limits, ProgramKind};

use super::{Agent, failed, out_of_order};

impl Agent<'_> {
    /// Runs one, as if a host had said so, and removes the sandbox.
    pub(super) async fn practise(
        &self,
        sandbox: Box<dyn Sandbox>,
        kind: ProgramKind,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        let mut sandbox = Some(sandbox);
        if let Some(run) = job(kind, limits) {
            // What fails here fails again with a real job, where it is told.
            let _ = self.go_through(&mut sandbox, run).await;
        }
        match sandbox {
            Some(sandbox) => sandbox
                .destroy()
                .await
                .map_err(|error| failed("remove a sandbox", &error.source)),
            None => Ok(()),
        }
    }

    async fn go_through(&self, sandbox: &mut Option<Box<dyn Sandbox>>, run: Run) -> io::Result<()> {
        let (ours, theirs) = UnixStream::pair()?;
        let (reader, writer) = wire(
            ours.try_clone()?.into(),
            ours.into(),
            ORDER_BYTES_MAX,
            NOTICE_BYTES_MAX,
        )?;
        let (_hears, mut says) = wire(
            theirs.try_clone()?.into(),
            theirs.into(),
            NOTICE_BYTES_MAX,
            ORDER_BYTES_MAX,
        )?;
        let mut agent = Agent {
            backend: self.backend,
            reader,
            writer,
            limits: Some(run.limits),
            sandbox: sandbox.take(),
            ahead: None,
            kept: None,
            waiting: None,
        };
        says.queue(&Order::Run(Box::new(run)))?;
        says.queue(&Order::Input {
            bytes: Vec::new(),
            ends: true,
        })?;
        says.flush().await?;
        let ran = match agent.reader.next().await? {
            Some(Order::Run(run)) => agent.run(*run).await,
            _ => Err(out_of_order()),
        };
        *sandbox = agent.sandbox.take();
        ran
    }
}

/// What a job of a kind goes through at least; `None` where nothing is common to all.
fn job(kind: ProgramKind, limits: &Limits) -> Option<Run> {
    let (name, text) = match kind {
        ProgramKind::Python => ("program.py", "print('hello')\n"),
        ProgramKind::JavaScript => ("program.js", "console.log('hello')\n"),
        ProgramKind::Shell => ("program.sh", "echo hello\n"),
        ProgramKind::Native | ProgramKind::WasmModule | ProgramKind::WasmComponent => return None,
    };
    Some(Run {
        name: name.to_owned(),
        kind,
        bytes: text.len() as u64,
        arguments: Vec::new(),
        environment: Vec::new(),
        files: Vec::new(),
        limits: *limits,
        content: text.into(),
    })
}
