//! The suite that every backend passes: the promises of the seam, tried on real sandboxes.
//!
//! A backend's own tests call [`check`] with programs of a kind it supports and expect no broken
//! promise. Each program does one plain thing, so the same suite serves every language and level.

mod programs;

use std::collections::BTreeSet;
use std::io::Read;
use std::time::Duration;

use atoll_types::{
    Enforcement, InputFile, Layer, LayerReport, LimitName, Limits, Program, SkipReason,
    SystemCalls, TenantId,
};

use crate::{
    Backend, Ending, Environment, Job, LeftFile, OutputEnd, Sandbox, SandboxSpec, State, Streams,
    Tenancy,
};

/// One program for each promise.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Writes `hello` and a newline to standard output, `oops` and a newline to standard error,
    /// and exits with 7.
    pub hello: Program,
    /// Copies standard input to standard output and exits with 0.
    pub copy: Program,
    /// Writes its arguments, one a line, then the variable `COLOUR`, then the content of the file
    /// `input.txt` in its working directory.
    pub show: Program,
    /// Writes `kept` and a newline to the file `out.txt` in its working directory.
    pub leave: Program,
    /// Never ends.
    pub endless: Program,
    /// Takes memory and uses it until it is refused or ended; exits with something but 0 when it
    /// is refused.
    pub greedy: Program,
    /// Ends by a crash: a signal or a trap.
    pub crash: Program,
}

/// Limits that every one of [`Programs`] fits into, apart from the greedy one.
#[must_use]
pub const fn limits() -> Limits {
    Limits {
        wall_time_ms: 30_000,
        cpu_time_ms: 20_000,
        cpu_percent: 100,
        memory_bytes: 192 << 20,
        processes: 32,
        disk_bytes: 32 << 20,
        disk_files: 200,
        output_bytes: 1 << 20,
        open_files: 64,
    }
}

/// Layers that the environment of a test run says this host lacks and the suites do without:
/// names in `ATOLL_TEST_ACCEPT_MISSING`, separated by commas. None, where it says nothing.
#[must_use]
pub fn accepted_by_environment() -> BTreeSet<Layer> {
    let names = std::env::var("ATOLL_TEST_ACCEPT_MISSING").unwrap_or_default();
    let dispensable = Layer::DISPENSABLE.into_iter();
    dispensable
        .filter(|layer| names.split(',').any(|name| name == layer.name()))
        .collect()
}

const PATIENCE: Duration = Duration::from_secs(60);

/// Tries every promise and answers with the broken ones, each as a sentence. Layers that the host
/// lacks may be accepted; what they alone promise is not expected then.
pub async fn check(
    backend: &dyn Backend,
    programs: &Programs,
    accept_missing: &BTreeSet<Layer>,
) -> Vec<String> {
    let suite = Suite {
        backend,
        accept_missing,
    };
    let results = [
        (
            "a finished program is reported",
            suite.finished(&programs.hello).await,
        ),
        (
            "standard input reaches the program",
            suite.input(&programs.copy).await,
        ),
        ("a message arrives whole", suite.whole(&programs.show).await),
        (
            "a file that the program writes can be collected",
            suite.collected(&programs.leave).await,
        ),
        (
            "an endless program can be stopped",
            suite.stopped(&programs.endless).await,
        ),
        ("memory is bounded", suite.bounded(&programs.greedy).await),
        ("a crash is reported", suite.crashed(&programs.crash).await),
        (
            "an unused sandbox can be destroyed",
            suite.unused(&programs.hello).await,
        ),
        (
            "a sandbox can be made warm before its job is known",
            suite.warmed(programs).await,
        ),
        (
            "enforcement is complete",
            suite.enforced(&programs.hello).await,
        ),
    ];
    results
        .into_iter()
        .filter_map(|(promise, result)| result.err().map(|why| format!("{promise}: {why}")))
        .collect()
}

struct Suite<'a> {
    backend: &'a dyn Backend,
    accept_missing: &'a BTreeSet<Layer>,
}

type Promise = Result<(), String>;

impl Suite<'_> {
    async fn create(&self, program: &Program) -> Result<Box<dyn Sandbox>, String> {
        let created = self.backend.create(self.specification(program)).await;
        created.map_err(|error| error.to_string())
    }

    async fn create_warm(&self, program: &Program) -> Result<Box<dyn Sandbox>, String> {
        let created = self.backend.create_warm(self.specification(program)).await;
        created.map_err(|error| error.to_string())
    }

    fn specification(&self, program: &Program) -> SandboxSpec {
        SandboxSpec {
            id: "conformance".to_owned(),
            limits: limits(),
            system_calls: SystemCalls::Processes,
            accept_missing: self.accept_missing.clone(),
            environment: Environment {
                kind: program.kind,
                dependencies: None,
                modules: BTreeSet::new(),
                tenant: TenantId::local(),
            },
            renews: false,
            tenancy: Tenancy::own(),
        }
    }

    async fn start(&self, job: Job) -> Result<(Box<dyn Sandbox>, Streams), String> {
        let sandbox = self.create(&job.program).await?;
        start(sandbox, job).await
    }

    /// Runs a job with empty input to its end.
    async fn run(&self, job: Job) -> Result<Ran, String> {
        let sandbox = self.create(&job.program).await?;
        self.finish(sandbox, job).await
    }

    /// Runs a job with empty input in a sandbox that was made for it.
    async fn finish(&self, sandbox: Box<dyn Sandbox>, job: Job) -> Result<Ran, String> {
        let (mut sandbox, streams) = start(sandbox, job).await?;
        drop(streams.stdin);
        let stdout = std::thread::spawn(move || read_all(streams.stdout));
        let stderr = std::thread::spawn(move || read_all(streams.stderr));
        let ending = wait(sandbox.as_mut()).await?;
        equal("state", &sandbox.state(), &State::Ended)?;
        let (limit, usage) = (sandbox.limit_hit(), sandbox.usage());
        let enforcement = sandbox.enforcement().clone();
        destroy(sandbox).await?;
        let stdout = stdout.join().unwrap_or_default();
        let stderr = stderr.join().unwrap_or_default();
        Ok(Ran {
            ending,
            limit,
            memory_peak_bytes: usage.memory_peak_bytes,
            enforcement,
            stdout,
            stderr,
        })
    }

    async fn finished(&self, program: &Program) -> Promise {
        let ran = self.run(job(program)).await?;
        equal("ending", &ran.ending, &Ending::Exited(7))?;
        equal("standard output", &ran.stdout.as_str(), &"hello\n")?;
        equal("standard error", &ran.stderr.as_str(), &"oops\n")?;
        equal("limit", &ran.limit, &None)?;
        // Without a group nobody counts the memory of a program that ends at once.
        let counted = ran.memory_peak_bytes > 0 || ran.lacks(Layer::MemoryLimit);
        holds("some memory was used", counted)
    }

    async fn input(&self, program: &Program) -> Promise {
        let (mut sandbox, streams) = self.start(job(program)).await?;
        let writer = std::thread::spawn(move || streams.stdin.write_all(&[b'x'; 300_000]).is_ok());
        drop(streams.stderr);
        let reader = std::thread::spawn(move || read_all(streams.stdout));
        let ending = wait(sandbox.as_mut()).await?;
        destroy(sandbox).await?;
        holds("all input was taken", writer.join().unwrap_or_default())?;
        equal("ending", &ending, &Ending::Exited(0))?;
        equal(
            "bytes copied",
            &reader.join().unwrap_or_default().len(),
            &300_000,
        )
    }

    async fn whole(&self, program: &Program) -> Promise {
        let ran = self.run(whole_job(program)).await?;
        equal("standard output", &ran.stdout.as_str(), &WHOLE)
            .map_err(|difference| format!("{difference}; standard error: {}", ran.stderr))
    }

    async fn collected(&self, program: &Program) -> Promise {
        let given = InputFile {
            name: b"given.txt".to_vec(),
            content: b"given\n"[..].into(),
        };
        let job = Job {
            files: vec![given],
            ..job(program)
        };
        let (mut sandbox, streams) = self.start(job).await?;
        let early = sandbox.leavings().await;
        holds("a program that may run keeps its files", early.is_err())?;
        drop(streams.stdin);
        let ending = wait(sandbox.as_mut()).await?;
        let leavings = sandbox.leavings().await;
        let leavings = leavings.map_err(|error| error.to_string())?;
        // What was handed out outlives the sandbox.
        destroy(sandbox).await?;
        equal("ending", &ending, &Ending::Exited(0))?;
        let mut found = Vec::new();
        for leaving in leavings {
            // Some backends place the program itself there, too.
            if leaving.path != program.name.as_bytes() {
                found.push((leaving.path, read_left(leaving.file)?));
            }
        }
        let expected = [
            (b"given.txt".to_vec(), "given\n".to_owned()),
            (b"out.txt".to_vec(), "kept\n".to_owned()),
        ];
        equal("what is left", &found.as_slice(), &expected.as_slice())
    }

    async fn stopped(&self, program: &Program) -> Promise {
        let (mut sandbox, _streams) = self.start(job(program)).await?;
        let early = tokio::time::timeout(Duration::from_millis(200), sandbox.wait()).await;
        holds("it runs until it is stopped", early.is_err())?;
        holds("it uses CPU time", sandbox.usage().cpu_time_us > 0)?;
        sandbox.stop();
        sandbox.stop();
        let ending = wait(sandbox.as_mut()).await?;
        holds(
            "it did not end by itself",
            !matches!(ending, Ending::Exited(_)),
        )?;
        destroy(sandbox).await
    }

    async fn bounded(&self, program: &Program) -> Promise {
        let ran = self.run(job(program)).await?;
        if ran.lacks(Layer::MemoryLimit) {
            let refused = !matches!(ran.ending, Ending::Exited(0));
            return holds("each process finds its memory bounded", refused);
        }
        let reported = ran.limit == Some(LimitName::Memory);
        holds(&format!("the memory limit is reported ({ran:?})"), reported)?;
        holds(
            "the limit held",
            ran.memory_peak_bytes <= limits().memory_bytes,
        )
    }

    async fn crashed(&self, program: &Program) -> Promise {
        let ran = self.run(job(program)).await?;
        let crashed = matches!(ran.ending, Ending::Signalled(_) | Ending::Trapped(_));
        holds(&format!("it crashed ({ran:?})"), crashed)?;
        equal("limit", &ran.limit, &None)
    }

    async fn unused(&self, program: &Program) -> Promise {
        destroy(self.create(program).await?).await
    }

    async fn warmed(&self, programs: &Programs) -> Promise {
        let idle = self.create_warm(&programs.hello).await?;
        equal("state", &idle.state(), &State::Ready)?;
        destroy(idle).await?;

        let sandbox = self.create_warm(&programs.show).await?;
        let ran = self.finish(sandbox, whole_job(&programs.show)).await?;
        equal(
            "standard output of a warm sandbox",
            &ran.stdout.as_str(),
            &WHOLE,
        )
        .map_err(|difference| format!("{difference}; standard error: {}", ran.stderr))?;

        let mut sandbox = self.create_warm(&programs.crash).await?;
        let larger = Limits {
            memory_bytes: limits().memory_bytes * 2,
            cpu_percent: 50,
            ..limits()
        };
        let changed = sandbox.set_limits(&larger);
        let enforcement = sandbox.enforcement();
        if enforcement.is_enforced(Layer::MemoryLimit) {
            changed.map_err(|error| error.to_string())?;
        } else {
            holds("a change of what nobody holds is refused", changed.is_err())?;
        }
        let ran = self.finish(sandbox, job(&programs.crash)).await?;
        let crashed = matches!(ran.ending, Ending::Signalled(_) | Ending::Trapped(_));
        holds(&format!("it crashed ({ran:?})"), crashed)
    }

    async fn enforced(&self, program: &Program) -> Promise {
        let sandbox = self.create(program).await?;
        let enforcement = sandbox.enforcement().clone();
        destroy(sandbox).await?;
        equal("level", &enforcement.level, &self.backend.level())?;
        holds("layers are reported", !enforcement.layers.is_empty())?;
        let accepted = |found: &LayerReport| self.accept_missing.contains(&found.layer);
        holds(
            "nothing is missing that was not accepted",
            enforcement.missing().all(accepted),
        )
    }
}

/// What [`Programs::show`] writes for [`whole_job`].
const WHOLE: &str = "one\ntwo words\nblue green\nof a file\n";

fn whole_job(program: &Program) -> Job {
    let file = InputFile {
        name: b"input.txt".to_vec(),
        content: b"of a file\n"[..].into(),
    };
    Job {
        arguments: vec![b"one".to_vec(), b"two words".to_vec()],
        files: vec![file],
        environment: vec![(b"COLOUR".to_vec(), b"blue green".to_vec())],
        ..job(program)
    }
}

async fn start(
    mut sandbox: Box<dyn Sandbox>,
    job: Job,
) -> Result<(Box<dyn Sandbox>, Streams), String> {
    equal("state", &sandbox.state(), &State::Ready)?;
    let streams = sandbox
        .start(job)
        .await
        .map_err(|error| error.to_string())?;
    equal("state", &sandbox.state(), &State::Running)?;
    Ok((sandbox, streams))
}

#[derive(Debug)]
struct Ran {
    ending: Ending,
    limit: Option<LimitName>,
    memory_peak_bytes: u64,
    enforcement: Enforcement,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn lacks(&self, layer: Layer) -> bool {
        !self.enforcement.is_enforced(layer)
    }
}

fn job(program: &Program) -> Job {
    Job {
        program: program.clone(),
        arguments: Vec::new(),
        files: Vec::new(),
        environment: Vec::new(),
        parts: None,
        calls: Default::default(),
    }
}

async fn wait(sandbox: &mut dyn Sandbox) -> Result<Ending, String> {
    let ended = tokio::time::timeout(PATIENCE, sandbox.wait()).await;
    ended.map_err(|_| "it did not end in time".to_owned())
}

async fn destroy(sandbox: Box<dyn Sandbox>) -> Promise {
    sandbox
        .destroy()
        .await
        .map_err(|error| format!("{error}: {}", error.source))
}

fn read_left(file: Result<LeftFile, SkipReason>) -> Result<String, String> {
    let mut file = file.map_err(|reason| format!("a file is skipped: {}", reason.name()))?;
    let mut text = String::new();
    let read = file.content.read_to_string(&mut text);
    let bytes = read.map_err(|error| format!("a file cannot be read: {error}"))?;
    equal("the length of a file", &file.bytes, &(bytes as u64))?;
    holds("it has one name", file.shared.is_none())?;
    holds("it is no program", !file.executable)?;
    Ok(text)
}

fn read_all(stream: OutputEnd) -> String {
    let bytes = stream.read_to_end().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Promise {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what} is {found:?}, expected {expected:?}"))
}

fn holds(what: &str, condition: bool) -> Promise {
    if condition {
        Ok(())
    } else {
        Err(format!("it does not hold that {what}"))
    }
}
