//! Finds the built `atoll` and runs it: with a state directory of its own, with a deadline, and
//! with every stream read to its end.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Report;

/// Longer than any example's own time limit; a run that takes longer hangs.
const DEADLINE: Duration = Duration::from_secs(120);

/// The built command with a state directory that nobody else uses.
#[derive(Debug)]
pub struct Atoll {
    program: PathBuf,
    state: tempfile::TempDir,
}

/// A run of the command that came to its end.
#[derive(Debug)]
pub struct Finished {
    /// How the command itself ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
    /// From start to end, as a caller sees it.
    pub elapsed: Duration,
}

impl Atoll {
    /// Finds the command: `ATOLL_BIN`, or else the `atoll` built into the same target directory as
    /// the running test.
    ///
    /// # Errors
    /// Says how to build it when there is none.
    pub fn locate() -> Result<Self, String> {
        let program = match std::env::var_os("ATOLL_BIN") {
            Some(path) => PathBuf::from(path),
            None => beside_this_program()?,
        };
        if !program.is_file() {
            return Err(format!(
                "no atoll command at {}: build it with `make build`, or name one in ATOLL_BIN",
                program.display()
            ));
        }
        let state = tempfile::Builder::new()
            .prefix("acceptance-")
            .tempdir()
            .map_err(|error| format!("failed to make a state directory: {error}"))?;
        Ok(Self { program, state })
    }

    /// The command's own file.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The directory that holds what this command remembers.
    #[must_use]
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// The command with its environment and state directory set, ready for arguments.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        self.prepare(&mut command);
        command
    }

    /// Gives any command the environment in which the `atoll` it starts finds its state directory,
    /// and the policy of the test run: `ATOLL_TEST_POLICY`, or else the built-in one.
    pub fn prepare(&self, command: &mut Command) {
        command
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("HOME", self.state())
            .env("ATOLL_STATE_DIR", self.state())
            .env("NO_COLOR", "1");
        if let Some(policy) = std::env::var_os("ATOLL_TEST_POLICY") {
            command.env("ATOLL_POLICY", policy);
        }
    }

    /// Runs the command to its end with these arguments and this standard input.
    ///
    /// # Errors
    /// When the command cannot be started or does not end in time.
    pub fn run<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        stdin: &[u8],
    ) -> Result<Finished, String> {
        let mut command = self.command();
        command.args(arguments);
        finish(command, stdin)
    }

    /// Runs `atoll run --json` with these arguments and reads the object it prints.
    ///
    /// # Errors
    /// When the command does not end, or prints anything but one object.
    pub fn run_json<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        stdin: &[u8],
    ) -> Result<(Report, Finished), String> {
        let mut command = self.command();
        command.args(["run", "--json"]).args(arguments);
        let finished = finish(command, stdin)?;
        let report = Report::parse(&finished.stdout).map_err(|problem| {
            format!(
                "{problem}\nstandard output: {}\nstandard error: {}",
                String::from_utf8_lossy(&finished.stdout),
                finished.stderr_text()
            )
        })?;
        Ok((report, finished))
    }
}

impl Finished {
    /// The exit code as a shell would report it: 128 and the signal for a signal.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.status
            .code()
            .unwrap_or_else(|| 128 + self.status.signal().unwrap_or(0))
    }

    /// Standard error as text.
    #[must_use]
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Standard output as text.
    #[must_use]
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// Runs a prepared command to its end.
///
/// # Errors
/// When it cannot be started or does not end in time; it is killed then.
pub fn finish(mut command: Command, stdin: &[u8]) -> Result<Finished, String> {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("failed to start {:?}: {error}", command.get_program()))?;
    let writer = child.stdin.take().map(|mut pipe| {
        let bytes = stdin.to_vec();
        // A program that does not read its input is no failure of this run.
        thread::spawn(move || drop(pipe.write_all(&bytes)))
    });
    let stdout = child.stdout.take().map(read_all);
    let stderr = child.stderr.take().map(read_all);
    let status = wait(&mut child, started)?;
    let elapsed = started.elapsed();
    if let Some(writer) = writer {
        drop(writer.join());
    }
    Ok(Finished {
        status,
        stdout: collect(stdout),
        stderr: collect(stderr),
        elapsed,
    })
}

fn wait(child: &mut Child, started: Instant) -> Result<ExitStatus, String> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if started.elapsed() < DEADLINE => thread::sleep(Duration::from_millis(2)),
            Ok(None) => {
                drop(child.kill());
                drop(child.wait());
                return Err(format!("the command did not end within {DEADLINE:?}"));
            }
            Err(error) => return Err(format!("failed to wait for the command: {error}")),
        }
    }
}

fn read_all<R: Read + Send + 'static>(mut pipe: R) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // Whatever was read before an error is still worth comparing.
        drop(pipe.read_to_end(&mut bytes));
        bytes
    })
}

fn collect(reader: Option<JoinHandle<Vec<u8>>>) -> Vec<u8> {
    reader
        .and_then(|reader| reader.join().ok())
        .unwrap_or_default()
}

/// `target/<triple>/<profile>/atoll`, seen from a test in `deps/` or a binary in the profile's own
/// directory.
fn beside_this_program() -> Result<PathBuf, String> {
    let here = std::env::current_exe()
        .map_err(|error| format!("failed to find the running program: {error}"))?;
    here.ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join("atoll"))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| {
            format!(
                "no atoll command near {}: build it with `make build`, or name one in ATOLL_BIN",
                here.display()
            )
        })
}
