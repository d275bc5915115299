//! The mix of jobs, and what must come of each.

use std::time::Duration;

use atoll_engine::{CutShort, ProgramFile, Report, Request, Submission, now_unix_ms, random};
use atoll_types::{Content, Level, LimitName, Message, Origin, Status, Stdin, TenantId};

/// Sends every program to the same levels under the same limits, whatever it looks like and
/// whatever its sender did before: what holds here is isolation alone.
const POLICY: &str = r#"
[defaults.limits]
wall_time = { value = "60s", request_max = "60s" }
cpu_time = "60s"
cpu_percent = 100
memory = { value = "128MiB", request_max = "128MiB" }
processes = 16
disk = "4MiB"
disk_files = 200
output = "256KiB"
open_files = 64

[tenants.soak]
trust = "trusted"

[[rule]]
id = "wasm"
when = 'analysis.kind in ["wasm-module", "wasm-component"]'
because = "WebAssembly runs as an instance"
set.level = "instance"

[[rule]]
id = "everything"
because = "a soak judges nobody"
"#;

/// The policy for a level, where so many messages may share a sandbox, one after the other.
pub(crate) fn policy(level: Level, messages_max: u32) -> String {
    let policy = format!("{POLICY}set.level = \"{level}\"\n");
    if messages_max <= 1 {
        return policy;
    }
    format!("{policy}set.sharing = \"tenant\"\nset.messages_max = {messages_max}\n")
}

/// How a job must end.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// With this exit code and this output.
    Exited(i32, &'static [u8]),
    /// By this signal.
    Signalled(i32),
    /// At this limit.
    Limit(LimitName),
    /// Because it was cancelled.
    Cancelled,
}

/// One kind of job.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    file: &'static str,
    bytes: Content,
    wall_time_ms: Option<u64>,
    memory_bytes: Option<u64>,
    /// When to cancel it, after it was sent.
    pub(crate) cancel: Option<Duration>,
    expected: Expected,
    /// How many of a hundred jobs are of this kind, about.
    share: usize,
}

const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;
const SIGSYS: i32 = 31;

/// Looks for ways out, and says when there was none.
const ESCAPE: &str = "\
import os, socket
found = []
def attempt(name, action):
    try:
        action()
        found.append(name)
    except (OSError, PermissionError):
        pass
attempt('file', lambda: open('/etc/shadow').read())
attempt('write', lambda: open('/usr/bin/planted', 'w'))
attempt('process', lambda: open('/proc/1/environ').read(1))
attempt('signal', lambda: os.kill(1, 9))
attempt('network', lambda: socket.socket(socket.AF_INET))
attempt('root', lambda: os.chroot('/tmp'))
attempt('user', lambda: os.setuid(0))
attempt('device', lambda: os.mknod('disk', 0o060600, os.makedev(8, 0)))
attempt('all', lambda: os.kill(-1, 9))
print('contained' if not found else found)
";

const PROBE: &str = "\
import ctypes
ctypes.CDLL(None).syscall(165, b'none', b'/work', b'tmpfs', 0, 0)
";

const DAEMON: &str = "\
import os, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for fd in range(3): os.close(fd)
            time.sleep(1000)
        os._exit(0)
print('left')
";

const FILES: &str = "\
import os
count = 0
try:
    for n in range(1000):
        with open(f'f{n}', 'wb') as file: file.write(b'x' * 100)
        count += 1
except OSError:
    pass
print('full' if count < 1000 else 'not full')
";

/// The smallest module that is a program: an exported `_start` that returns.
const MODULE: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\
    \x07\x0a\x01\x06_start\0\0\x0a\x04\x01\x02\0\x0b";

/// Jobs about what is refused at other levels, and what gVisor's kernel does for its container
/// alone.
const NOT_AT_GVISOR: [&str; 2] = ["tries to get out", "probes the cage"];

/// Every kind of job of a level.
///
/// # Errors
/// When the native program cannot be read.
pub(crate) fn kinds(level: Level) -> Result<Vec<Kind>, String> {
    let mut kinds = all_kinds()?;
    kinds.retain(|kind| level != Level::Gvisor || !NOT_AT_GVISOR.contains(&kind.name));
    Ok(kinds)
}

fn all_kinds() -> Result<Vec<Kind>, String> {
    use Expected::{Cancelled, Exited, Limit, Signalled};
    let native = std::fs::read("/usr/bin/true")
        .map_err(|error| format!("failed to read /usr/bin/true: {error}"))?;
    let python = |name, text: &str, expected, share| Kind {
        expected,
        share,
        ..kind(name, "job.py", text.as_bytes())
    };
    let sleeper = b"#!/bin/sh\nsleep 1000 & sleep 1000\n";
    Ok(vec![
        python("python", "print('hello')\n", Exited(0, b"hello\n"), 40),
        Kind {
            expected: Exited(0, b"hello\n"),
            share: 10,
            ..kind("shell", "job.sh", b"#!/bin/sh\necho hello | cat\n")
        },
        Kind {
            share: 8,
            ..kind("native", "job", &native)
        },
        Kind {
            share: 4,
            ..kind("WebAssembly", "job.wasm", MODULE)
        },
        python("exits with 3", "raise SystemExit(3)\n", Exited(3, b""), 4),
        python("aborts", "import os\nos.abort()\n", Signalled(SIGABRT), 4),
        Kind {
            expected: Signalled(SIGSEGV),
            share: 4,
            ..kind("crashes", "job.sh", b"#!/bin/sh\nkill -SEGV $$\n")
        },
        python("tries to get out", ESCAPE, Exited(0, b"contained\n"), 6),
        python("probes the cage", PROBE, Signalled(SIGSYS), 3),
        python("leaves daemons", DAEMON, Exited(0, b"left\n"), 4),
        python("fills the disk", FILES, Exited(0, b"full\n"), 2),
        python(
            "forks for ever",
            "import os\nwhile True: os.fork()\n",
            Limit(LimitName::Processes),
            1,
        ),
        python(
            "floods",
            "while True: print('x' * 4000)\n",
            Limit(LimitName::Output),
            3,
        ),
        Kind {
            memory_bytes: Some(48 << 20),
            ..python(
                "takes memory",
                "b = [bytearray(b'x') * (1 << 20) for _ in range(200)]\n",
                Limit(LimitName::Memory),
                2,
            )
        },
        Kind {
            expected: Limit(LimitName::WallTime),
            wall_time_ms: Some(50),
            share: 3,
            ..kind("never ends", "job.sh", sleeper)
        },
        Kind {
            expected: Cancelled,
            cancel: Some(Duration::from_millis(30)),
            share: 2,
            ..kind("is cancelled", "job.sh", sleeper)
        },
    ])
}

fn kind(name: &'static str, file: &'static str, bytes: &[u8]) -> Kind {
    Kind {
        name,
        file,
        bytes: bytes.into(),
        wall_time_ms: None,
        memory_bytes: None,
        cancel: None,
        expected: Expected::Exited(0, b""),
        share: 1,
    }
}

/// The order of the kinds: each as often as its share says, all of them mixed.
pub(crate) fn order(kinds: &[Kind]) -> Vec<usize> {
    let all: Vec<usize> = kinds
        .iter()
        .enumerate()
        .flat_map(|(index, kind)| std::iter::repeat_n(index, kind.share))
        .collect();
    // A step that has no divisor in common with the length meets every place once.
    let step = (all.len() * 3 / 8..).find(|step| divisor(*step, all.len()) == 1);
    let step = step.unwrap_or(1);
    (0..all.len())
        .filter_map(|place| all.get(place * step % all.len()).copied())
        .collect()
}

fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}

impl Kind {
    /// A message of this kind.
    pub(crate) fn message(&self) -> Result<Message, String> {
        let submission = Submission {
            program: ProgramFile {
                name: self.file.to_owned(),
                bytes: Content::clone(&self.bytes),
            },
            parts: atoll_types::Parts::default(),
            arguments: Vec::new(),
            sample: None,
            stdin: Stdin::Empty,
            files: Vec::new(),
            environment: Vec::new(),
            tenant: TenantId::new("soak").map_err(|error| error.to_string())?,
            origin: Origin::CommandLine,
        };
        let random = random().map_err(|error| error.to_string())?;
        let message = submission.into_message(now_unix_ms(), random);
        message.map_err(|error| error.to_string())
    }

    pub(crate) fn request(&self) -> Request {
        Request {
            wall_time_ms: self.wall_time_ms,
            memory_bytes: self.memory_bytes,
            ..Request::default()
        }
    }

    /// What is wrong with the end of such a job.
    pub(crate) fn fault(&self, report: &Report) -> Option<String> {
        let outcome = &report.outcome;
        let hit = outcome.limit.map(|limit| limit.name);
        let holds = match self.expected {
            Expected::Exited(code, output) => {
                outcome.status == Status::Exited
                    && outcome.exit_code == Some(code)
                    && outcome.stdout == output
            }
            Expected::Signalled(signal) => {
                outcome.status == Status::Signalled && outcome.signal == Some(signal)
            }
            Expected::Limit(name) => outcome.status == Status::Limit && hit == Some(name),
            Expected::Cancelled => report.cut_short == Some(CutShort::Interrupted),
        };
        if holds && report.warnings.is_empty() {
            return None;
        }
        Some(format!(
            "must be {:?}, was {:?} {:?} {:?} {hit:?} {:?}: {:?} {:?} {:?}",
            self.expected,
            outcome.status,
            outcome.exit_code,
            outcome.signal,
            outcome.reason,
            String::from_utf8_lossy(outcome.stdout.get(..200).unwrap_or(&outcome.stdout)),
            String::from_utf8_lossy(outcome.stderr.get(..600).unwrap_or(&outcome.stderr)),
            report.warnings,
        ))
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails by panicking"
)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_as_often_as_its_share_says() {
        let kinds = kinds(Level::Process).unwrap();
        let order = order(&kinds);
        for (index, kind) in kinds.iter().enumerate() {
            let count = order.iter().filter(|place| **place == index).count();
            assert_eq!(count, kind.share, "{}", kind.name);
        }
        let first: std::collections::BTreeSet<_> = order.iter().take(20).collect();
        assert!(first.len() > 5, "not mixed: {order:?}");
    }
}
