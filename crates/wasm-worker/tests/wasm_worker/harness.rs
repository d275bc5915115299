//! Starts the real worker on a program and collects what it says on every descriptor.
//!
//! The shell places the two extra descriptors. There is no jail around the worker here; what the
//! jail adds is tested where the jail is.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use atoll_sandbox_wasm::protocol::{
    GuestKind, GuestLimits, Request, Status, StatusReader, write_request,
};
use tempfile::TempDir;

/// One program, to be run once.
pub(crate) struct Run {
    pub(crate) request: Request,
    program: Vec<u8>,
    place: TempDir,
    stdin: Vec<u8>,
}

/// Everything that came out.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) statuses: Vec<Status>,
    pub(crate) exit: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// A worker that is still running.
pub(crate) struct Running {
    pub(crate) child: Child,
    status_path: PathBuf,
    _place: TempDir,
}

impl Run {
    pub(crate) fn module(text: &str) -> Self {
        Self::new(GuestKind::Module, wat::parse_str(text).unwrap())
    }

    pub(crate) fn component(text: &str) -> Self {
        Self::new(GuestKind::Component, wat::parse_str(text).unwrap())
    }

    pub(crate) fn new(kind: GuestKind, program: Vec<u8>) -> Self {
        let place = TempDir::new().unwrap();
        let work = place.path().join("work");
        fs::create_dir(&work).unwrap();
        Self {
            request: Request {
                kind,
                name: "test.wasm".to_owned(),
                arguments: Vec::new(),
                environment: Vec::new(),
                working_directory: work.to_str().unwrap().to_owned(),
                limits: GuestLimits::new(64 << 20, 60_000),
            },
            program,
            place,
            stdin: Vec::new(),
        }
    }

    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.request.arguments = arguments
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect();
        self
    }

    pub(crate) fn stdin(mut self, bytes: &[u8]) -> Self {
        self.stdin = bytes.to_vec();
        self
    }

    pub(crate) fn limits(mut self, change: impl FnOnce(&mut GuestLimits)) -> Self {
        change(&mut self.request.limits);
        self
    }

    /// The guest's directory, as the test sees it.
    pub(crate) fn work(&self) -> PathBuf {
        PathBuf::from(&self.request.working_directory)
    }

    /// Starts the worker, without anything on its standard input yet.
    pub(crate) fn start(self) -> Running {
        let (child, status_path) = self.spawn();
        Running {
            child,
            status_path,
            _place: self.place,
        }
    }

    /// Runs the worker to its end.
    pub(crate) fn finish(self) -> Outcome {
        let (mut child, status_path) = self.spawn();
        let mut stdin = child.stdin.take().unwrap();
        let input = self.stdin.clone();
        let writer = thread::spawn(move || {
            // A program need not read its input.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Outcome {
            statuses: read_statuses(&status_path),
            exit: output.status,
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn spawn(&self) -> (Child, PathBuf) {
        let request_path = self.place.path().join("request");
        let status_path = self.place.path().join("status");
        let mut request_file = File::create(&request_path).unwrap();
        write_request(&mut request_file, &self.request, &self.program).unwrap();
        File::create(&status_path).unwrap();
        let child = Command::new("sh")
            .args(["-c", r#"exec "$0" 3<"$1" 4>"$2""#])
            .arg(env!("CARGO_BIN_EXE_atoll-wasm-worker"))
            .args([&request_path, &status_path])
            .env_clear()
            .env("SECRET_OF_THE_HOST", "must not reach a guest")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        (child, status_path)
    }
}

impl Running {
    /// Waits until the program itself runs.
    pub(crate) fn wait_started(&self) {
        for _ in 0..6000 {
            let statuses = read_statuses(&self.status_path);
            if statuses
                .iter()
                .any(|status| matches!(status, Status::Started { .. }))
            {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the program has not started");
    }

    pub(crate) fn statuses(&self) -> Vec<Status> {
        read_statuses(&self.status_path)
    }
}

fn read_statuses(path: &PathBuf) -> Vec<Status> {
    let mut bytes = Vec::new();
    File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
    let mut reader = StatusReader::default();
    reader.push(&bytes);
    let mut statuses = Vec::new();
    while let Some(status) = reader.next_status().unwrap() {
        statuses.push(status);
    }
    statuses
}

impl Outcome {
    /// The last frame, after checking that those before it are in order.
    pub(crate) fn end(&self) -> &Status {
        let mut report = atoll_sandbox_wasm::protocol::Report::default();
        for status in &self.statuses {
            report.accept(status.clone()).unwrap();
        }
        self.statuses.last().unwrap()
    }

    /// Checks that the program ended by itself, on every channel that says so.
    pub(crate) fn assert_exited(&self, expected: i32) {
        let Status::Exited { code, .. } = self.end() else {
            panic!("not exited: {self:?}");
        };
        assert_eq!(*code, expected, "{self:?}");
        assert_eq!(self.exit.code(), Some(expected & 0xff), "{self:?}");
    }

    /// The reason of a refusal.
    pub(crate) fn refusal(&self) -> &str {
        let Status::Refused { reason } = self.end() else {
            panic!("not refused: {self:?}");
        };
        assert_eq!(self.exit.code(), Some(125), "{self:?}");
        assert!(self.stdout.is_empty(), "{self:?}");
        reason
    }

    /// The text and the limit of a trap.
    pub(crate) fn trap(&self) -> (&str, Option<atoll_types::LimitName>) {
        let Status::Trapped { text, limit } = self.end() else {
            panic!("not trapped: {self:?}");
        };
        assert_eq!(self.exit.code(), Some(124), "{self:?}");
        (text, *limit)
    }
}
