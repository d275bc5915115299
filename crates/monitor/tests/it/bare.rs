//! A sandbox without a boundary: one unprivileged shell and what it starts.

use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Instant;

use async_trait::async_trait;
use atoll_sandbox::{
    DestroyError, Ending, InputEnd, Job, Leavings, LeavingsError, Lifecycle, OutputEnd, Sandbox,
    StartError, State, Streams,
};
use atoll_types::{Enforcement, Level, LimitName, Limits, Usage};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// Runs a shell script in its own process group, as nobody where the tests run as root.
pub(crate) struct Bare {
    child: Child,
    group: Pid,
    started: Instant,
    limits: Limits,
    lifecycle: Lifecycle,
    enforcement: Enforcement,
    /// Leaves descendants alone when it stops, as a backend with a fault would.
    pub(crate) leaky: bool,
}

/// Limits that nothing in these tests reaches by accident.
pub(crate) fn roomy() -> Limits {
    Limits {
        wall_time_ms: 60_000,
        cpu_time_ms: 60_000,
        cpu_percent: 100,
        memory_bytes: 64 << 20,
        processes: 64,
        disk_bytes: 1 << 20,
        disk_files: 64,
        output_bytes: 16 << 20,
        open_files: 64,
    }
}

impl Bare {
    /// Starts `script` and returns it with its streams.
    pub(crate) fn start(script: &str, limits: Limits) -> (Self, Streams) {
        let (stdin_read, stdin) = rustix::pipe::pipe().unwrap();
        let (stdout, stdout_write) = rustix::pipe::pipe().unwrap();
        let (stderr, stderr_write) = rustix::pipe::pipe().unwrap();
        for end in [&stdin, &stdout, &stderr] {
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC).unwrap();
        }
        let stdio = |end: OwnedFd| Stdio::from(end);
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", script])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .current_dir("/")
            .stdin(stdio(stdin_read))
            .stdout(stdio(stdout_write))
            .stderr(stdio(stderr_write))
            .process_group(0)
            .kill_on_drop(true);
        if rustix::process::geteuid().is_root() {
            command.uid(65_534).gid(65_534);
        }
        let child = command.spawn().unwrap();
        // The command still holds the child's ends of the pipes; it goes here.
        drop(command);
        let group = Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
        let mut lifecycle = Lifecycle::default();
        lifecycle.advance(State::Running).unwrap();
        let bare = Self {
            child,
            group,
            started: Instant::now(),
            limits,
            lifecycle,
            enforcement: Enforcement {
                level: Level::Process,
                layers: Vec::new(),
            },
            leaky: false,
        };
        let streams = Streams {
            stdin: InputEnd::Pipe(stdin),
            stdout: OutputEnd::Pipe(stdout),
            stderr: OutputEnd::Pipe(stderr),
        };
        (bare, streams)
    }

    /// CPU ticks and the number of the processes in this group, from proc_pid_stat(5).
    fn group_members(&self) -> Vec<u64> {
        let mut ticks = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
                continue;
            };
            let Some((_, fields)) = stat.rsplit_once(") ") else {
                continue;
            };
            let fields: Vec<&str> = fields.split(' ').collect();
            if fields[0] != "Z" && fields[2] == self.group.as_raw_nonzero().to_string() {
                let user: u64 = fields[11].parse().unwrap();
                let system: u64 = fields[12].parse().unwrap();
                ticks.push(user + system);
            }
        }
        ticks
    }

    /// Processes of this group that still run.
    pub(crate) fn members(&self) -> usize {
        self.group_members().len()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = kill_process_group(self.group, Signal::KILL);
    }
}

#[async_trait]
impl Sandbox for Bare {
    fn state(&self) -> State {
        self.lifecycle.state()
    }

    fn enforcement(&self) -> &Enforcement {
        &self.enforcement
    }

    fn set_limits(&mut self, _: &Limits) -> std::io::Result<()> {
        Ok(())
    }

    async fn start(&mut self, _job: Job) -> Result<Streams, StartError> {
        Err(StartError::Program("it was started already".to_owned()))
    }

    fn usage(&self) -> Usage {
        let ticks: u64 = self.group_members().iter().sum();
        Usage {
            wall_time_us: u64::try_from(self.started.elapsed().as_micros()).unwrap(),
            // 100 ticks a second on every architecture these tests run on (sysconf(3)).
            cpu_time_us: ticks * 10_000,
            ..Usage::default()
        }
    }

    fn limit_hit(&self) -> Option<LimitName> {
        (self.group_members().len() > self.limits.processes as usize)
            .then_some(LimitName::Processes)
    }

    async fn wait(&mut self) -> Ending {
        let status = self.child.wait().await.unwrap();
        if self.lifecycle.state() == State::Running {
            self.lifecycle.advance(State::Ended).unwrap();
        }
        match (status.code(), status.signal()) {
            (Some(code), _) => Ending::Exited(code),
            (None, Some(signal)) => Ending::Signalled(signal),
            (None, None) => Ending::Lost("no status".to_owned()),
        }
    }

    fn stop(&mut self) {
        if self.leaky {
            let _ = self.child.start_kill();
        } else {
            let _ = kill_process_group(self.group, Signal::KILL);
        }
    }

    async fn leavings(&mut self) -> Result<Leavings, LeavingsError> {
        Err(LeavingsError::NotEnded)
    }

    async fn destroy(mut self: Box<Self>) -> Result<(), DestroyError> {
        self.stop();
        Ok(())
    }
}
