//! The agent's side of the conversation with the host.
//!
//! Owns the order of things: greet, begin, run one job, tell what it left. The host is trusted; the
//! program is not, and nothing of it reaches this process but the bytes it writes.

mod job;
mod left;
mod practice;

use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use atoll_remote::protocol::{
    Begin, Hello, NOTICE_BYTES_MAX, Notice, ORDER_BYTES_MAX, Order, Refusal, Run, Stays,
    Surroundings, VERSION,
};
use atoll_remote::{WireReader, WireWriter, wire};
use atoll_sandbox::{
    Backend, Beginning, CreateError, Environment, Job, Sandbox, SandboxSpec, StartError, Tenancy,
};
use atoll_types::{Content, InputFile, Limits, Program, ProgramHash, SystemCalls, TenantId};

use crate::{identity, volume};

/// Serves the host at the other end of a stream, which may be one descriptor twice, until that
/// ends. It has to be called inside a Tokio runtime.
///
/// # Errors
/// When the stream or the host's orders make no sense; the host was told, where it still listens.
pub async fn serve(backend: &dyn Backend, input: OwnedFd, output: OwnedFd) -> io::Result<()> {
    let (reader, writer) = wire(input, output, ORDER_BYTES_MAX, NOTICE_BYTES_MAX)?;
    let mut agent = Agent {
        backend,
        reader,
        writer,
        sandbox: None,
        ahead: None,
        limits: None,
        kept: None,
        waiting: None,
    };
    let served = agent.serve().await;
    if let Err(error) = &served {
        let reason = error.to_string();
        // Whoever does not hear of it has gone.
        let _ = agent.tell(&Notice::Failed { reason }).await;
    }
    let kept = agent.kept.take().map(|kept| kept.sandboxes);
    for sandbox in agent
        .sandbox
        .take()
        .into_iter()
        .chain(kept.into_iter().flatten())
    {
        let _ = sandbox.destroy().await;
    }
    backend.close().await;
    served
}

struct Agent<'a> {
    backend: &'a dyn Backend,
    reader: WireReader,
    writer: WireWriter,
    sandbox: Option<Box<dyn Sandbox>>,
    /// One that is built as far as it can be without knowing its limits, in a snapshot.
    ahead: Option<(Surroundings, Box<dyn Beginning>)>,
    /// What the sandbox was built with.
    limits: Option<Limits>,
    /// Sandboxes that wait, in a snapshot and then in its clones.
    kept: Option<Kept>,
    /// How to build it anew, if it waits for a job that it may turn out not to suit.
    waiting: Option<SandboxSpec>,
}

/// Sandboxes in which interpreters wait.
struct Kept {
    surroundings: Surroundings,
    stays: Stays,
    sandboxes: Vec<Box<dyn Sandbox>>,
}

impl Agent<'_> {
    async fn serve(&mut self) -> io::Result<()> {
        self.tell(&Notice::Hello(hello())).await?;
        while let Some(order) = self.reader.next().await? {
            match order {
                Order::Prepare {
                    surroundings,
                    stays,
                } => {
                    let prepared = match stays {
                        Some(stays) => self.keep(&surroundings, *stays).await,
                        None => self.prepare(&surroundings).await,
                    };
                    self.tell(&prepared.map_or_else(Notice::Refused, |()| Notice::Prepared))
                        .await?;
                }
                Order::Begin(begin) => {
                    let begun = self.begin(*begin).await;
                    self.tell(&begun.unwrap_or_else(Notice::Refused)).await?;
                }
                Order::Rehearse => {
                    if let Some(sandbox) = &mut self.sandbox {
                        sandbox.rehearse().await?;
                    }
                    self.tell(&Notice::Rehearsed).await?;
                }
                Order::Run(run) => self.run(*run).await?,
                Order::Collect { bytes_max } => self.collect(bytes_max).await?,
                // The program has ended meanwhile, and the host did not know.
                Order::Input { .. } | Order::SetLimits(_) | Order::Stop => {}
                Order::Content(_) => return Err(out_of_order()),
            }
        }
        Ok(())
    }

    async fn tell(&mut self, notice: &Notice) -> io::Result<()> {
        self.writer.queue(notice)?;
        self.writer.flush().await
    }

    /// Goes all the way to a sandbox and back, so that what it takes is in memory, and begins the
    /// one that each clone of the snapshot finishes. No interpreter stays: clones would share what
    /// it has chosen at random.
    async fn prepare(&mut self, surroundings: &Surroundings) -> Result<(), Refusal> {
        let spec = SandboxSpec {
            id: "prepare".to_owned(),
            limits: PREPARE_LIMITS,
            system_calls: SystemCalls::Processes,
            accept_missing: atoll_types::Layer::DISPENSABLE.into_iter().collect(),
            environment: environment(surroundings),
            renews: false,
            tenancy: Tenancy::own(),
        };
        let sandbox = self.backend.create_warm(spec.clone()).await;
        let mut sandbox = sandbox.map_err(create_refusal)?;
        let rehearsed = sandbox.rehearse().await;
        rehearsed.map_err(|error| failed("rehearse a job", &error))?;
        self.practise(sandbox, surroundings.kind, &PREPARE_LIMITS)
            .await?;
        let sandbox = self.backend.create(spec.clone()).await;
        let sandbox = sandbox.map_err(create_refusal)?;
        self.practise(sandbox, surroundings.kind, &PREPARE_LIMITS)
            .await?;
        self.backend.close().await;
        let ahead = self.backend.begin("ahead", &spec.environment);
        self.ahead = Some((surroundings.clone(), ahead.map_err(create_refusal)?));
        // Others build it; whatever they have not done by then, every clone does.
        tokio::time::sleep(AHEAD_TIME).await;
        Ok(())
    }

    /// Builds the sandboxes that clones find: one for their job, and one for practice before it.
    async fn keep(&mut self, surroundings: &Surroundings, stays: Stays) -> Result<(), Refusal> {
        let mut sandboxes = Vec::new();
        for number in 0..=KEPT {
            let spec = SandboxSpec {
                id: format!("kept-{number}"),
                limits: stays.limits,
                system_calls: stays.system_calls,
                accept_missing: stays.accept_missing.clone(),
                environment: environment(surroundings),
                renews: false,
                tenancy: Tenancy::own(),
            };
            let sandbox = self.backend.create_warm(spec).await;
            let mut sandbox = sandbox.map_err(create_refusal)?;
            let rehearsed = sandbox.rehearse().await;
            rehearsed.map_err(|error| failed("rehearse a job", &error))?;
            if number < KEPT {
                sandboxes.push(sandbox);
            } else {
                self.practise(sandbox, surroundings.kind, &stays.limits)
                    .await?;
            }
        }
        self.kept = Some(Kept {
            surroundings: surroundings.clone(),
            stays,
            sandboxes,
        });
        Ok(())
    }

    /// A sandbox in which an interpreter waits: one that was kept, or a new one.
    async fn warm(
        &mut self,
        begin: &Begin,
        spec: &SandboxSpec,
    ) -> Result<Box<dyn Sandbox>, Refusal> {
        if let Some(sandbox) = self.take_kept(begin).await? {
            return Ok(sandbox);
        }
        let sandbox = self.backend.create_warm(spec.clone()).await;
        sandbox.map_err(create_refusal)
    }

    /// One of the sandboxes that were kept, if they are what is wanted.
    async fn take_kept(&mut self, begin: &Begin) -> Result<Option<Box<dyn Sandbox>>, Refusal> {
        let suits = |kept: &&mut Kept| {
            !begin.is_fresh
                && begin.is_warm
                && kept.surroundings == begin.surroundings
                && kept.stays.system_calls == begin.system_calls
                && kept.stays.accept_missing == begin.accept_missing
        };
        let Some(kept) = self.kept.as_mut().filter(suits) else {
            return Ok(None);
        };
        let Some(mut sandbox) = kept.sandboxes.pop() else {
            return Ok(None);
        };
        let drawn = sandbox.draw_anew().await;
        drawn.map_err(|error| failed("draw random numbers anew", &error))?;
        if kept.stays.limits != begin.limits {
            let changed = sandbox.set_limits(&begin.limits);
            changed.map_err(|error| failed("set the limits of a sandbox", &error))?;
        }
        Ok(Some(sandbox))
    }

    async fn begin(&mut self, begin: Begin) -> Result<Notice, Refusal> {
        if let Some(identity) = &begin.identity {
            let adopted = identity::adopt(identity);
            adopted.map_err(|error| failed("take on an identity", &error))?;
        }
        if let Some(volume) = &begin.volume {
            let shown = volume::show(volume);
            shown.map_err(|error| failed("show a volume", &error))?;
        }
        if begin.is_fresh {
            self.backend.close().await;
        }
        let spec = SandboxSpec {
            id: begin.id.clone(),
            limits: begin.limits,
            system_calls: begin.system_calls,
            accept_missing: begin.accept_missing.clone(),
            environment: environment(&begin.surroundings),
            renews: false,
            tenancy: Tenancy::own(),
        };
        if begin.practises {
            let sandbox = self.warm(&begin, &spec).await?;
            self.practise(sandbox, begin.surroundings.kind, &begin.limits)
                .await?;
        }
        let ahead = self
            .ahead
            .take_if(|(surroundings, _)| !begin.is_warm && *surroundings == begin.surroundings);
        let sandbox = match ahead {
            Some((_, ahead)) => ahead.finish(spec.terms()).await.map_err(create_refusal)?,
            None if begin.is_warm => {
                let sandbox = self.warm(&begin, &spec).await?;
                self.waiting = Some(spec);
                sandbox
            }
            None => self.backend.create(spec).await.map_err(create_refusal)?,
        };
        let sandbox = self.sandbox.insert(sandbox);
        self.limits = Some(begin.limits);
        Ok(Notice::Ready {
            layers: sandbox.enforcement().layers.clone(),
        })
    }

    /// Runs a job to its end.
    async fn run(&mut self, run: Run) -> io::Result<()> {
        let limits = run.limits;
        let job = self.job(run).await?;
        if let Err(refusal) = self.suit(&job).await {
            return self.tell(&Notice::NotStarted(refusal)).await;
        }
        let sandbox = self.sandbox.as_mut().ok_or_else(out_of_order)?;
        let changed = match self.limits.replace(limits) {
            Some(before) if before == limits => Ok(()),
            _ => sandbox.set_limits(&limits),
        };
        let started = match changed {
            Ok(()) => sandbox.start(job).await.map_err(start_refusal),
            Err(error) => Err(failed("set the limits of a sandbox", &error)),
        };
        match started {
            Ok(streams) => {
                self.writer.queue(&Notice::Started)?;
                job::Running::new(sandbox.as_mut(), streams, limits.output_bytes)?
                    .run(&mut self.reader, &mut self.writer)
                    .await
            }
            Err(refusal) => self.tell(&Notice::NotStarted(refusal)).await,
        }
    }

    /// Builds the sandbox anew where it has started what the job would have had a say in.
    async fn suit(&mut self, job: &Job) -> Result<(), Refusal> {
        let Some(spec) = self
            .waiting
            .take()
            .filter(|_| !self.backend.suits_warm(job))
        else {
            return Ok(());
        };
        if let Some(sandbox) = self.sandbox.take() {
            let destroyed = sandbox.destroy().await;
            destroyed.map_err(|error| failed("remove a sandbox", &error.source))?;
        }
        let sandbox = self.backend.create(spec).await.map_err(create_refusal)?;
        self.sandbox = Some(sandbox);
        Ok(())
    }

    /// The job, once all of its bytes are there.
    async fn job(&mut self, run: Run) -> io::Result<Job> {
        let mut content = run.content;
        let mut rest: &[u8] = &[];
        let mut taken = Vec::with_capacity(run.files.len() + 1);
        let lengths = std::iter::once(run.bytes).chain(run.files.iter().map(|file| file.bytes));
        let lengths: Vec<u64> = lengths.collect();
        let all = lengths.iter().copied().try_fold(0_u64, u64::checked_add);
        let all = all.and_then(|all| usize::try_from(all).ok());
        let all = all.ok_or_else(out_of_order)?;
        while content.len() < all {
            match self.reader.next().await? {
                Some(Order::Content(piece)) => content.extend_from_slice(&piece),
                Some(_) => return Err(out_of_order()),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        rest = if content.len() == all { &content } else { rest };
        for length in lengths {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let (own, others) = rest.split_at_checked(length).ok_or_else(out_of_order)?;
            taken.push(Content::from(own));
            rest = others;
        }
        let mut taken = taken.into_iter();
        let bytes = taken.next().unwrap_or_default();
        Ok(Job {
            program: Program {
                name: run.name,
                kind: run.kind,
                hash: ProgramHash::of(&bytes),
                bytes,
            },
            arguments: run.arguments.into_iter().map(|it| it.into_vec()).collect(),
            files: run
                .files
                .into_iter()
                .zip(taken)
                .map(|(file, content)| InputFile {
                    name: file.name,
                    content,
                })
                .collect(),
            environment: run
                .environment
                .into_iter()
                .map(|(name, value)| (name.into_vec(), value.into_vec()))
                .collect(),
            parts: None,
            calls: Default::default(),
        })
    }

    async fn collect(&mut self, bytes_max: u64) -> io::Result<()> {
        let sandbox = self.sandbox.as_mut().ok_or_else(out_of_order)?;
        match sandbox.leavings().await {
            Ok(leavings) => left::tell(leavings, bytes_max, &mut self.writer).await?,
            Err(error) => return Err(io::Error::other(error)),
        }
        self.tell(&Notice::Collected).await
    }
}

/// Sandboxes that stay in a snapshot.
const KEPT: usize = 2;

/// How long a sandbox takes that is begun for a snapshot, emulated.
const AHEAD_TIME: Duration = Duration::from_millis(300);

/// Room for whatever is made ready.
const PREPARE_LIMITS: Limits = Limits {
    wall_time_ms: 600_000,
    cpu_time_ms: 600_000,
    cpu_percent: 1_000,
    memory_bytes: 64 << 20,
    processes: 64,
    disk_bytes: 1 << 20,
    disk_files: 64,
    output_bytes: 1 << 20,
    open_files: 64,
};

fn environment(surroundings: &Surroundings) -> Environment {
    Environment {
        kind: surroundings.kind,
        dependencies: surroundings.dependencies.as_ref().map(PathBuf::from),
        modules: surroundings
            .modules
            .iter()
            .cloned()
            .collect::<BTreeSet<_>>(),
        // Nobody else is here.
        tenant: TenantId::local(),
    }
}

fn hello() -> Hello {
    let (name, memory) = (rustix::system::uname(), rustix::system::sysinfo());
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    let memory_units: u64 = memory.totalram;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Hello {
        version: VERSION,
        kernel: format!("{} {}", text(name.sysname()), text(name.release())),
        memory_bytes: memory_units.saturating_mul(memory.mem_unit.into()),
        processors: u32::try_from(processors).unwrap_or(u32::MAX),
    }
}

fn out_of_order() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "an order came out of order")
}

fn failed(attempt: &str, error: &dyn std::error::Error) -> Refusal {
    Refusal::Internal {
        attempt: attempt.to_owned(),
        reason: error.to_string(),
    }
}

fn create_refusal(error: CreateError) -> Refusal {
    match error {
        CreateError::NotEnforceable { missing, .. } => Refusal::NotEnforceable(missing),
        CreateError::Environment(text) => Refusal::Environment(text),
        CreateError::Internal { attempt, source } => failed(&attempt, &source),
    }
}

fn start_refusal(error: StartError) -> Refusal {
    match error {
        StartError::NotEnforceable { missing, .. } => Refusal::NotEnforceable(missing),
        StartError::Program(text) => Refusal::Program(text),
        StartError::Limit(limit) => Refusal::Limit(limit),
        StartError::Internal { attempt, source } => failed(&attempt, &source),
    }
}
