//! One run of a tool in a jail of its own.
//!
//! The jail has its own namespaces, user, read-only root and private files, limits, a system call
//! filter and Landlock, as the level `process` has them. Of networks it has a loopback interface
//! with one port, at which the [gate](crate::gate) answers. What the tool wrote is read from
//! outside, once every process inside is dead.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use atoll_jail::seccomp::Profile;
use atoll_jail::{
    Bind, Command, Jail, JailError, JailFile, JailSpec, Leavings, ProgramEnd, Root, Running,
};
use atoll_types::{Layer, LayerReport, LimitName, Limits};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe::Receiver;

use crate::gate::{Gate, Report, Rules};
use crate::registry::{Registry, Upstream};
use crate::{InstallLimits, ProvisionError};

/// The port of the way out. The jail's own, so nobody else's can be in its way.
const PORT: u16 = 3128;

/// Where the way out is, for tools.
pub(crate) const PROXY: &str = "http://127.0.0.1:3128";

/// Where the tool finds itself, when the system's directories do not hold it.
const TOOL: &str = "opt/atoll/uv";

/// Where the tool finds the certificates to trust, when the host's configuration names some.
pub(crate) const CERTIFICATES: &str = "/etc/atoll/certificates.pem";

/// The largest output that is kept, in bytes: a lock of hundreds of packages is smaller.
const OUTPUT_BYTES_MAX: u64 = 8 << 20;

/// The last lines of what the tool complained about, and the longest line of it.
const WORDS_LINES_MAX: usize = 400;
const WORD_BYTES_MAX: usize = 4 << 10;

/// What a tool writes besides the layer: its own cache, unpacked, and settings.
const OWN_DISK_BYTES: u64 = 128 << 20;
const OWN_DISK_FILES: u64 = 20_000;

const PROCESSES_MAX: u32 = 128;

/// Time until a line is told about or the clock is looked at again.
const TICK: Duration = Duration::from_millis(100);

const SYSTEM: [&str; 6] = ["usr", "bin", "sbin", "lib", "lib32", "lib64"];

const TEXTS: [(&str, &str); 4] = [
    (
        "etc/passwd",
        "root:x:0:0:root:/:/bin/false\nguest:x:1000:1000:guest:/work:/bin/sh\n",
    ),
    ("etc/group", "root:x:0:\nguest:x:1000:\n"),
    ("etc/hosts", "127.0.0.1 localhost atoll\n"),
    (
        "etc/nsswitch.conf",
        "passwd: files\ngroup: files\nhosts: files\n",
    ),
];

/// A run of a tool.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    /// What it is to do, as a verb phrase.
    pub(crate) step: &'static str,
    /// The program to execute, and its arguments.
    pub(crate) program: &'a Path,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) files: Vec<(&'static str, Vec<u8>)>,
    /// The interpreter that has to be there, too.
    pub(crate) interpreter: &'a Path,
}

/// What all runs have in common.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) upstream: Option<&'a Upstream>,
    pub(crate) limits: &'a InstallLimits,
    pub(crate) accept_missing: &'a BTreeSet<Layer>,
    /// When everything has to be done.
    pub(crate) until: Instant,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran<T> {
    pub(crate) succeeded: bool,
    pub(crate) output: Vec<u8>,
    /// What it complained about.
    pub(crate) words: String,
    pub(crate) report: Report,
    /// What was taken of its files, once it had succeeded.
    pub(crate) taken: Option<T>,
    /// What is in force in its jail.
    pub(crate) layers: Vec<LayerReport>,
}

/// Runs a tool. `told` gets its complaints line by line, and the bytes that came in; `take` gets
/// what it left behind.
pub(crate) async fn run<T: Send + 'static>(
    job: Job<'_>,
    around: &Surroundings<'_>,
    mut told: impl FnMut(Option<&str>, u64) + Send,
    take: impl FnOnce(Leavings) -> Result<T, ProvisionError> + Send + 'static,
) -> Result<Ran<T>, ProvisionError> {
    let step = job.step;
    let limits = jail_limits(around.limits);
    let program = guest_path(&job);
    let spec = JailSpec {
        name: jail_name(),
        root: root(&job, around.registry)?,
    };
    let mut jail = Jail::begin_with_way_out(&spec, PORT)
        .map_err(ProvisionError::Sandbox)?
        .finish(limits, around.accept_missing)
        .await
        .map_err(ProvisionError::Sandbox)?;
    let layers = jail.layers(Profile::Client);
    let gate = open_gate(&mut jail, around)?;
    let started = jail.start(command(job, program)).await;
    let streams = started.map_err(ProvisionError::Sandbox)?;
    let watched = watch(&mut jail, streams, &gate, around, &mut told).await;
    let (end, output, words) = match watched {
        Ok(watched) => watched,
        Err(stopped) => {
            let _ = jail.destroy().await;
            return Err(stopped.error(step, around.limits));
        }
    };
    let hit = jail.limit_hit();
    let succeeded = end == Some(ProgramEnd::Exited(0));
    if let Some(hit) = hit.filter(|_| !succeeded) {
        let _ = jail.destroy().await;
        return Err(limit_error(hit, step, around.limits));
    }
    let report = gate.report();
    drop(gate);
    let taken = if succeeded {
        let leavings = jail.leavings().await;
        let leavings = leavings.map_err(|error| internal("look at what a tool left", error))?;
        let taken = tokio::task::spawn_blocking(move || take(leavings)).await;
        Some(taken.map_err(|error| internal("take over what a tool left", error.into()))??)
    } else {
        None
    };
    let destroyed = jail.destroy().await;
    destroyed.map_err(|error| internal("remove the sandbox of a tool", error))?;
    Ok(Ran {
        succeeded,
        output,
        words,
        report,
        taken,
        layers,
    })
}

/// Why a run was ended before the tool ended it.
#[derive(Debug, Clone, Copy)]
enum Stopped {
    Late,
    Downloads,
    Output,
}

impl Stopped {
    fn error(self, step: &'static str, limits: &InstallLimits) -> ProvisionError {
        match self {
            Self::Late => ProvisionError::Timeout {
                step,
                after: limits.wall_time,
            },
            Self::Downloads => ProvisionError::TooLarge {
                allowed: limits.download_bytes,
                of: "bytes of downloads",
            },
            Self::Output => ProvisionError::TooLarge {
                allowed: OUTPUT_BYTES_MAX,
                of: "bytes of a lock",
            },
        }
    }
}

type Watched = (Option<ProgramEnd>, Vec<u8>, String);

/// Waits for the end of a tool, reads what it says, and holds it to time and bytes.
async fn watch(
    jail: &mut Jail,
    streams: Running,
    gate: &Gate,
    around: &Surroundings<'_>,
    told: &mut (impl FnMut(Option<&str>, u64) + Send),
) -> Result<Watched, Stopped> {
    let reading = |end: OwnedFd| Receiver::from_owned_fd(end).ok();
    drop(streams.stdin);
    let mut output = Vec::new();
    let mut words = Vec::new();
    let stdout = reading(streams.stdout);
    let stderr = reading(streams.stderr);
    let read_output = async {
        let mut stdout = stdout?.take(OUTPUT_BYTES_MAX);
        stdout.read_to_end(&mut output).await.ok()
    };
    let read_words = async {
        let mut stderr = BufReader::new(stderr?);
        let mut line = Vec::new();
        while let Ok(1..) = next_line(&mut stderr, &mut line).await {
            let text = plain_text(&line);
            told(Some(&text), gate.bytes());
            if !is_debug(&text) {
                words.push(text);
                let surplus = words.len().saturating_sub(WORDS_LINES_MAX);
                words.drain(..surplus);
            }
        }
        Some(())
    };
    let hold = async {
        loop {
            tokio::time::sleep(TICK).await;
            if gate.exceeded() {
                return Stopped::Downloads;
            }
            if Instant::now() >= around.until {
                return Stopped::Late;
            }
        }
    };
    let end = tokio::select! {
        (_, _, end) = async { tokio::join!(read_output, read_words, jail.wait()) } => end,
        stopped = hold => return Err(stopped),
    };
    if output.len() as u64 >= OUTPUT_BYTES_MAX {
        return Err(Stopped::Output);
    }
    told(None, gate.bytes());
    Ok((end, output, words.join("\n")))
}

/// Reads a line, of which no more than the longest is kept. Answers how many bytes came.
async fn next_line(from: &mut BufReader<Receiver>, line: &mut Vec<u8>) -> std::io::Result<usize> {
    line.clear();
    let mut limited = from.take(WORD_BYTES_MAX as u64);
    limited.read_until(b'\n', line).await
}

/// Text without what could move a terminal's cursor.
fn plain_text(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.trim_end()
        .chars()
        .filter(|c| !c.is_control())
        .collect()
}

/// Lines that are there to be counted, not read.
fn is_debug(line: &str) -> bool {
    line.starts_with("DEBUG ") || line.starts_with("TRACE ") || line.starts_with("npm http ")
}

fn open_gate(jail: &mut Jail, around: &Surroundings<'_>) -> Result<Gate, ProvisionError> {
    let rules = Rules {
        places: around.registry.places().clone(),
        upstream: around.upstream.cloned(),
        bytes_max: around.limits.download_bytes,
    };
    let listener = jail.take_way_out();
    let opened = listener.map(|listener| Gate::open(listener, rules));
    let missing = || Err(std::io::ErrorKind::NotConnected.into());
    let opened = opened.unwrap_or_else(missing);
    opened.map_err(|error| internal("open the way to the registry", error))
}

fn jail_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("provision-{}-{count}", std::process::id())
}

fn jail_limits(limits: &InstallLimits) -> Limits {
    // What is unpacked stands there twice: in the tool's cache, and where it is installed.
    let disk_bytes = limits.layer_bytes.saturating_mul(2);
    let disk_bytes = disk_bytes
        .saturating_add(limits.download_bytes)
        .saturating_add(OWN_DISK_BYTES);
    let wall_time_ms = u64::try_from(limits.wall_time.as_millis()).unwrap_or(u64::MAX);
    Limits {
        wall_time_ms,
        cpu_time_ms: wall_time_ms.saturating_mul(2),
        cpu_percent: 400,
        // Private files are memory.
        memory_bytes: limits.memory_bytes.saturating_add(disk_bytes),
        processes: PROCESSES_MAX,
        disk_bytes,
        disk_files: limits
            .layer_files
            .saturating_mul(2)
            .saturating_add(OWN_DISK_FILES),
        output_bytes: OUTPUT_BYTES_MAX,
        open_files: 1024,
    }
}

fn limit_error(hit: LimitName, step: &'static str, limits: &InstallLimits) -> ProvisionError {
    let (allowed, of) = match hit {
        LimitName::WallTime | LimitName::CpuTime => {
            return ProvisionError::Timeout {
                step,
                after: limits.wall_time,
            };
        }
        LimitName::Memory => (limits.memory_bytes, "bytes of memory"),
        LimitName::Processes => (u64::from(PROCESSES_MAX), "processes"),
        _ => (limits.layer_bytes, "bytes of files"),
    };
    ProvisionError::TooLarge { allowed, of }
}

fn internal(attempt: &str, error: std::io::Error) -> ProvisionError {
    ProvisionError::Sandbox(JailError::Internal(attempt.to_owned(), error))
}

fn command(job: Job<'_>, program: PathBuf) -> Command {
    let bytes = |path: &Path| path.as_os_str().as_encoded_bytes().to_vec();
    let path = bytes(&program);
    let arguments = job.arguments.into_iter().map(String::into_bytes);
    let common = [
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ("HOME", "/tmp".to_owned()),
        ("TMPDIR", "/tmp".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
    ];
    let environment = common.into_iter().chain(job.environment);
    Command {
        arguments: std::iter::once(path.clone()).chain(arguments).collect(),
        path,
        environment: environment
            .map(|(name, value)| format!("{name}={value}").into_bytes())
            .collect(),
        files: job
            .files
            .into_iter()
            .map(|(name, content)| JailFile {
                name: name.as_bytes().to_vec(),
                content: content.into(),
                executable: false,
            })
            .collect(),
        descriptors: Vec::new(),
        profile: Profile::Client,
        calls: Default::default(),
    }
}

/// Where a program of the host is inside.
fn guest_path(job: &Job<'_>) -> PathBuf {
    if is_of_the_system(job.program) || job.program == job.interpreter {
        job.program.to_owned()
    } else {
        Path::new("/").join(TOOL)
    }
}

fn is_of_the_system(path: &Path) -> bool {
    let mut places = SYSTEM.iter().map(|name| Path::new("/").join(name));
    places.any(|place| path.starts_with(place))
}

/// The system's directories, the tool and the interpreter, and the certificates to trust.
fn root(job: &Job<'_>, registry: &Registry) -> Result<Root, ProvisionError> {
    let mut root = Root {
        proc: true,
        devices: true,
        ..Root::default()
    };
    let bind = |host: &Path, guest: &Path| Bind {
        host: host.to_owned(),
        guest: guest.strip_prefix("/").unwrap_or(guest).to_owned(),
    };
    for name in SYSTEM {
        let host = Path::new("/").join(name);
        match fs::read_link(&host) {
            Ok(target) => root.links.push((name.into(), target)),
            Err(_) if host.is_dir() => root.binds.push(bind(&host, Path::new(name))),
            Err(_) => {}
        }
    }
    for name in ["/etc/alternatives", "/etc/ld.so.cache"] {
        let host = Path::new(name);
        if host.exists() {
            root.binds.push(bind(host, host));
        }
    }
    root.texts
        .extend(TEXTS.map(|(name, text)| (name.into(), text.to_owned())));
    let prefix = |path: &Path| Some(path.parent()?.parent()?.to_owned());
    if !is_of_the_system(job.interpreter)
        && let Some(prefix) = prefix(job.interpreter)
    {
        root.binds.push(bind(&prefix, &prefix));
    }
    if !is_of_the_system(job.program) && job.program != job.interpreter {
        root.binds.push(bind(job.program, Path::new(TOOL)));
    }
    if let Some(file) = &registry.certificates {
        let found = file
            .canonicalize()
            .map_err(|error| ProvisionError::Registry {
                problem: format!(
                    "its certificates {} cannot be read: {error}",
                    file.display()
                ),
            })?;
        root.binds.push(bind(&found, Path::new(CERTIFICATES)));
    }
    Ok(root)
}

#[cfg(test)]
mod tests;
