//! Runs one program in a sandbox that waited for it, beside a neighbour if there is to be one, and
//! says in JSON what came of it. What `make ablation` runs attacks in copies of interpreters with.
//!
//! Owns the order: the program starts first, then a sandbox is made and the neighbour starts in it,
//! then the program hears the neighbour's first line on its standard input. No sandbox is made
//! unasked: with layers missing it would be seen. It judges nothing.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use atoll_engine::{
    Confinement, Engine, Flow, Observer, Options, OutputDirectory, PolicyText, PoolOptions, Report,
    Request, RunOptions, Stream, Submission, backends, input_file, now_unix_ms, program_file,
    random, text_file,
};
use atoll_sandbox::{Backend, Beginning, CreateError, Environment, Job, Sandbox, SandboxSpec};
use atoll_types::{
    Analysis, LayerReport, Level, Message, Origin, ProgramKind, Status, Stdin, TenantId, Usage,
};
use clap::Parser;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// How often it is looked whether a sandbox waits.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Runs a program in a sandbox that waited for it.
#[derive(Debug, Parser)]
struct Arguments {
    /// A policy that lets the program run.
    #[arg(long)]
    policy: PathBuf,
    /// A directory for the engine's state.
    #[arg(long, env = "ATOLL_STATE_DIR")]
    state_dir: PathBuf,
    /// A file for the program's working directory.
    #[arg(long)]
    input: Vec<PathBuf>,
    /// A variable, as NAME=VALUE.
    #[arg(long)]
    env: Vec<String>,
    /// Takes the files that the program leaves.
    #[arg(long)]
    output: Option<PathBuf>,
    /// A program that runs beside it, in a sandbox of the same pool, and lives as long.
    #[arg(long)]
    neighbour: Option<PathBuf>,
    /// The program.
    program: PathBuf,
    /// Its arguments.
    arguments: Vec<String>,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ran = runtime
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(run(&Arguments::parse())));
    let (stream, text, code): (&mut dyn Write, _, _) = match ran {
        Ok(told) => (&mut io::stdout(), told, ExitCode::SUCCESS),
        Err(problem) => (
            &mut io::stderr(),
            format!("atoll-waiting: {problem}"),
            ExitCode::FAILURE,
        ),
    };
    match writeln!(stream, "{text}") {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn run(arguments: &Arguments) -> Result<String, String> {
    let gate = Arc::new(Semaphore::new(1));
    let engine = Engine::open(Options {
        state_dir: arguments.state_dir.clone(),
        policy: PolicyText {
            name: arguments.policy.display().to_string(),
            text: text_file(&arguments.policy).map_err(|error| error.to_string())?,
        },
        backends: gated(&gate),
        pools: Some(PoolOptions::default()),
        memory_bytes: None,
    });
    let engine = engine.map_err(|error| error.to_string())?;
    let told = match wait_for_one(
        &engine,
        &message(arguments, &arguments.program, &arguments.input)?,
    )
    .await?
    {
        Some(refusal) => tell(Status::Refused, Some(&refusal)),
        None => match &arguments.neighbour {
            None => alone(&engine, arguments).await?,
            Some(neighbour) => Box::pin(beside(&engine, &gate, arguments, neighbour)).await?,
        },
    };
    gate.close();
    let waited = engine.pools().iter().map(|pool| pool.hits).sum::<u64>();
    engine.close().await;
    let wanted = 1 + u64::from(arguments.neighbour.is_some());
    if told.status != "refused" && waited != wanted {
        return Err(format!("{waited} sandboxes of {wanted} had waited"));
    }
    serde_json::to_string(&told).map_err(|error| error.to_string())
}

/// How the program ended.
#[derive(serde::Serialize)]
struct Told {
    status: &'static str,
    signal: Option<i32>,
    limit: Option<&'static str>,
    reason: Option<String>,
    stdout: String,
}

fn tell(status: Status, reason: Option<&str>) -> Told {
    Told {
        status: status.name(),
        signal: None,
        limit: None,
        reason: reason.map(str::to_owned),
        stdout: String::new(),
    }
}

fn told(report: &Report) -> Told {
    let outcome = &report.outcome;
    Told {
        signal: outcome.signal,
        limit: outcome.limit.map(|limit| limit.name.name()),
        stdout: String::from_utf8_lossy(&outcome.stdout).into_owned(),
        ..tell(outcome.status, outcome.reason.as_deref())
    }
}

/// A program with the arguments and variables of this run, and these files.
fn message(arguments: &Arguments, program: &Path, files: &[PathBuf]) -> Result<Message, String> {
    let files = files.iter().map(|path| input_file(path, None));
    let variables = arguments.env.iter().map(|variable| {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        (name.as_bytes().to_vec(), value.as_bytes().to_vec())
    });
    let bytes = |text: &String| text.as_bytes().to_vec();
    let submission = Submission {
        program: program_file(program).map_err(|error| error.to_string())?,
        parts: atoll_types::Parts::default(),
        arguments: arguments.arguments.iter().map(bytes).collect(),
        sample: None,
        stdin: match arguments.neighbour {
            Some(_) => Stdin::Stream,
            None => Stdin::Empty,
        },
        files: files
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?,
        environment: variables.collect(),
        tenant: TenantId::new("local").map_err(|error| error.to_string())?,
        origin: Origin::CommandLine,
    };
    let random = random().map_err(|error| error.to_string())?;
    let message = submission.into_message(now_unix_ms(), random);
    message.map_err(|error| error.to_string())
}

/// Keeps one sandbox waiting for such messages and waits for it; says why when there is none.
async fn wait_for_one(engine: &Engine, message: &Message) -> Result<Option<String>, String> {
    let explained = engine.explain(message, &Request::default(), None).await;
    let decision = explained.map_err(|error| error.to_string())?.decision;
    let decision = decision.map_err(|denied| format!("the policy denies it: {denied:?}"))?;
    let confinement = Confinement {
        level: decision.level,
        sharing: decision.sharing,
        limits: decision.limits,
        system_calls: decision.system_calls,
    };
    engine.keep_waiting(message, confinement, 1).await;
    Ok(until_one_waits(engine).await.err())
}

async fn until_one_waits(engine: &Engine) -> Result<(), String> {
    loop {
        for pool in engine.pools() {
            match pool.failure {
                Some(failure) => return Err(failure),
                None if pool.idle > 0 => return Ok(()),
                None => {}
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn options(arguments: &Arguments) -> Result<RunOptions, String> {
    let output = arguments.output.as_deref().map(OutputDirectory::open);
    Ok(RunOptions {
        keep_output: true,
        output: output.transpose().map_err(|error| error.to_string())?,
        ..RunOptions::default()
    })
}

async fn alone(engine: &Engine, arguments: &Arguments) -> Result<Told, String> {
    let message = message(arguments, &arguments.program, &arguments.input)?;
    let report = send(engine, message, options(arguments)?, First(None));
    Ok(told(&report.await?))
}

async fn beside(
    engine: &Engine,
    gate: &Semaphore,
    arguments: &Arguments,
    neighbour: &Path,
) -> Result<Told, String> {
    let (begun, program_begun) = oneshot::channel();
    let (ready, neighbour_ready) = oneshot::channel();
    let (words, program_input) = mpsc::channel(1);
    let (stay, neighbour_input) = mpsc::channel(1);
    let program = async {
        let options = RunOptions {
            input: Some(program_input),
            ..options(arguments)?
        };
        let message = message(arguments, &arguments.program, &arguments.input)?;
        let report = send(engine, message, options, First(Some(begun))).await;
        // Then the neighbour's input ends, and the neighbour with it.
        drop(stay);
        report
    };
    let neighbour = async {
        if program_begun.await.is_err() {
            return Ok(());
        }
        gate.add_permits(1);
        until_one_waits(engine).await?;
        let options = RunOptions {
            input: Some(neighbour_input),
            ..RunOptions::default()
        };
        let message = message(arguments, neighbour, &[])?;
        send(engine, message, options, First(Some(ready)))
            .await
            .map(drop)
    };
    let relay = async {
        // The program reads an end where there is no neighbour.
        if let Ok(line) = neighbour_ready.await {
            let _ = words.send(line).await;
        }
        drop(words);
    };
    let (report, neighbour, ()) = tokio::join!(program, neighbour, relay);
    neighbour?;
    Ok(told(&report?))
}

async fn send(
    engine: &Engine,
    message: Message,
    options: RunOptions,
    mut first: First,
) -> Result<Report, String> {
    let never = pin!(std::future::pending());
    let report = engine.run(message, options, &mut first, never).await;
    report.map_err(|error| error.to_string())
}

/// The backends, with sandboxes for nobody but whom the gate lets through.
fn gated(gate: &Arc<Semaphore>) -> Vec<Arc<dyn Backend>> {
    let gated = |inner| {
        let gate = Arc::clone(gate);
        Arc::new(Gated { inner, gate }) as Arc<dyn Backend>
    };
    backends().into_iter().map(gated).collect()
}

struct Gated {
    inner: Arc<dyn Backend>,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl Backend for Gated {
    fn level(&self) -> Level {
        self.inner.level()
    }

    fn probe(&self) -> Vec<LayerReport> {
        self.inner.probe()
    }

    fn supports(&self, kind: ProgramKind) -> Result<(), String> {
        self.inner.supports(kind)
    }

    fn begin(
        &self,
        id: &str,
        environment: &Environment,
    ) -> Result<Box<dyn Beginning>, CreateError> {
        self.inner.begin(id, environment)
    }

    fn suits(&self, job: &Job, analysis: &Analysis) -> Result<(), String> {
        self.inner.suits(job, analysis)
    }

    fn keeps_ready(&self) -> bool {
        self.inner.keeps_ready()
    }

    fn keep_in(&self, state_dir: &Path) {
        self.inner.keep_in(state_dir);
    }

    async fn close(&self) {
        self.inner.close().await;
    }

    fn suits_warm(&self, job: &Job) -> bool {
        self.inner.suits_warm(job)
    }

    fn is_warm(&self, environment: &Environment) -> bool {
        self.inner.is_warm(environment)
    }

    async fn create_warm(&self, spec: SandboxSpec) -> Result<Box<dyn Sandbox>, CreateError> {
        let asked_for = self.gate.acquire().await;
        let asked_for = asked_for.map_err(|closed| CreateError::Environment(closed.to_string()))?;
        asked_for.forget();
        self.inner.create_warm(spec).await
    }
}

/// Tells of the first output.
struct First(Option<oneshot::Sender<Vec<u8>>>);

#[async_trait]
impl Observer for First {
    async fn output(&mut self, _: Stream, bytes: &[u8]) -> Flow {
        if let Some(tell) = self.0.take() {
            let _ = tell.send(bytes.to_vec());
        }
        Flow::Continue
    }

    fn progress(&mut self, _: &Usage) {}
}
